// Convolution, forward and input gradient alike, as implicit GEMM: formula and meaning of the parameters as in
// conv-subgroup.wgsl.
// Tiling: a workgroup of 8 x 8 invocations computes 32 rows by 32 positions in steps of 16 channels for each live tap;
// tiles of weight and source are staged in workgroup memory, and an invocation holds 4 x 4 accumulators.
// Traffic: 2 * 32 * 16 loads for 32 * 32 * 16 multiply-adds a workgroup and step. Needs no subgroups.
const TILE = 32u;
const DEPTH = 16u;
const SIDE = 8u;
const EACH = TILE / SIDE;

// Bits of `flags`.
const BIAS = 1u;
const RELU = 2u;
const RESIDUAL = 4u;

alias Value = f32;

struct Params {
  rows: u32, k: u32, batch: u32, flags: u32,
  kernel: vec2u, source: vec2u, dest: vec2u, step: vec2i,
  base: vec2i, dil: vec2i, div: vec2i,
  source_channels: u32, dest_channels: u32,
  w_row: u32, w_k: u32, w_group: u32, images_first: u32,
  tap_step: vec2u, off_step: vec2i, eps: f32,
}
@group(0) @binding(0) var<storage, read> weight: array<f32>;
@group(0) @binding(1) var<storage, read> source: array<f32>;
// What an epilogue needs: a variant declares no binding in its layout that it does not use.
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> gamma: array<f32>;
@group(0) @binding(4) var<storage, read> mean: array<f32>;
@group(0) @binding(5) var<storage, read> variance: array<f32>;
@group(0) @binding(6) var<storage, read> residual: array<Value>;
@group(0) @binding(7) var<storage, read_write> dest: array<Value>;
@group(0) @binding(8) var<uniform> p: Params;

// Scale and offset of a channel's results.
fn affine(channel: u32) -> vec2f {
  return vec2f(1.0, select(0.0, bias[channel * (p.flags & BIAS)], (p.flags & BIAS) != 0u));
}
// What is added to the result at an index of dest.
fn beside(_at: u32) -> Value { return Value(); }

// The end of a result: scaled and shifted by channel, something added, ReLU.
fn finish(sum: Value, scale: vec2f, at: u32) -> Value {
  let y = sum * scale.x + scale.y + beside(at);
  return select(y, max(y, Value()), (p.flags & RELU) != 0u);
}

var<workgroup> w_tile: array<f32, TILE * DEPTH>; // [k][row]
var<workgroup> s_tile: array<f32, TILE * DEPTH>; // [k][position]

@compute @workgroup_size(SIDE, SIDE)
fn main(
  @builtin(workgroup_id) tile: vec3u,
  @builtin(local_invocation_id) me: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let div = vec2u(p.div);
  let group = tile.z / (div.x * div.y);
  let phase = vec2u(tile.z / div.y % div.x, tile.z % div.y);
  let grid = (p.dest - phase + div - 1u) / div;
  let columns = p.batch * grid.x * grid.y;
  if (tile.x * TILE >= columns) { return; }
  let row0 = tile.y * TILE;
  let col0 = tile.x * TILE;
  let plane = p.source.x * p.source.y;

  // The column and row that this invocation loads: SIDE * SIDE is a multiple of TILE, so they do not change.
  let mine = index % TILE;
  let col = min(col0 + mine, columns - 1u);
  let n = col / (grid.x * grid.y);
  let q = col - n * grid.x * grid.y;
  let image = (n * p.source_channels + group * p.k) * plane;
  let at = vec2i(vec2u(q / grid.y, q % grid.y)) * p.step;
  let w_row = group * p.w_group + min(row0 + mine, p.rows - 1u) * p.w_row;

  var acc: array<array<f32, EACH>, EACH>;
  for (var t = 0u; t < p.kernel.x * p.kernel.y; t++) {
    let num = vec2i(phase) + p.base + vec2i(vec2u(t / p.kernel.y, t % p.kernel.y)) * p.dil;
    let off = num / p.div;
    let live = all(num == off * p.div) && all(off < vec2i(p.source)) && all(off + (vec2i(grid) - 1) * p.step >= vec2i(0));
    let s = at + off;
    let inside = all(vec2u(s) < p.source);
    let s_at = image + select(0u, u32(s.x) * p.source.y + u32(s.y), inside);
    for (var k0 = 0u; live && k0 < p.k; k0 += DEPTH) {
      for (var i = index; i < TILE * DEPTH; i += SIDE * SIDE) {
        let k = k0 + i / TILE;
        let last = min(k, p.k - 1u);
        w_tile[i] = select(0.0, weight[w_row + t + last * p.w_k], k < p.k);
        s_tile[i] = select(0.0, source[s_at + last * plane], k < p.k && inside);
      }
      workgroupBarrier();
      for (var k = 0u; k < DEPTH; k++) {
        var column: array<f32, EACH>;
        for (var j = 0u; j < EACH; j++) { column[j] = s_tile[k * TILE + j * SIDE + me.x]; }
        for (var i = 0u; i < EACH; i++) {
          let row = w_tile[k * TILE + i * SIDE + me.y];
          for (var j = 0u; j < EACH; j++) { acc[i][j] = fma(row, column[j], acc[i][j]); }
        }
      }
      workgroupBarrier();
    }
  }

  for (var j = 0u; j < EACH; j++) {
    let c = col0 + j * SIDE + me.x;
    if (c < columns) {
      let cn = c / (grid.x * grid.y);
      let cq = c - cn * grid.x * grid.y;
      let to = vec2u(cq / grid.y, cq % grid.y) * div + phase;
      for (var i = 0u; i < EACH; i++) {
        let row = row0 + i * SIDE + me.y;
        if (row < p.rows) {
          let channel = group * p.rows + row;
          let at = ((cn * p.dest_channels + channel) * p.dest.x + to.x) * p.dest.y + to.y;
          dest[at] = finish(acc[i][j], affine(channel), at);
        }
      }
    }
  }
}
