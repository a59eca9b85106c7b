// Weight gradient of a convolution as implicit GEMM: formula and meaning of the parameters as in
// conv-weight-subgroup.wgsl, but that columns always run over (t, ic), ic fastest.
// Tiling: a workgroup of 8 x 8 invocations computes 32 rows by 32 columns in steps of 16 positions; tiles of dy and x are
// staged in workgroup memory, and an invocation holds 4 x 4 accumulators.
// Traffic: 2 * 32 * 16 loads for 32 * 32 * 16 multiply-adds a workgroup and step. Needs no subgroups.
const TILE = 32u;
const DEPTH = 16u;
const SIDE = 8u;
const EACH = TILE / SIDE;

struct Params {
  rows: u32, channels: u32, batch: u32, x_channels: u32,
  kernel: vec2u, x_size: vec2u, y_size: vec2u, stride: vec2i,
  padding: vec2i, dilation: vec2i, full: vec2u, origin: vec2u, y_channels: u32, taps_first: u32,
  images: u32, planes: u32, size: u32, // of a split: its images, the grid's planes, elements of its sum
}
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

var<workgroup> y_tile: array<f32, TILE * DEPTH>; // [position][row]
var<workgroup> x_tile: array<f32, TILE * DEPTH>; // [position][column]

@compute @workgroup_size(SIDE, SIDE)
fn main(
  @builtin(workgroup_id) tile: vec3u,
  @builtin(local_invocation_id) me: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let split = tile.z / p.planes;
  let group = tile.z % p.planes;
  let taps = p.kernel.x * p.kernel.y;
  let columns = taps * p.channels;
  let row0 = tile.y * TILE;
  let first = tile.x * TILE;
  let x_plane = p.x_size.x * p.x_size.y;
  let y_plane = p.y_size.x * p.y_size.y;

  let mine = index % TILE;
  let my_col = min(first + mine, columns - 1u);
  let my_t = my_col / p.channels;
  let x_base = (group * p.channels + my_col - my_t * p.channels) * x_plane;
  let tap = vec2i(vec2u(my_t / p.kernel.y, my_t % p.kernel.y)) * p.dilation - p.padding;
  let y_base = (group * p.rows + min(row0 + mine, p.rows - 1u)) * y_plane;

  let t0 = first / p.channels;
  let t1 = min(first + TILE - 1u, columns - 1u) / p.channels;
  let one_row = t0 / p.kernel.y == t1 / p.kernel.y;
  let lo_tap = vec2i(vec2u(t0 / p.kernel.y, select(0u, t0 % p.kernel.y, one_row))) * p.dilation - p.padding;
  let hi_tap = vec2i(vec2u(t1 / p.kernel.y, select(p.kernel.y - 1u, t1 % p.kernel.y, one_row))) * p.dilation - p.padding;
  let lo = max((-hi_tap + p.stride - 1) / p.stride, vec2i(0));
  let span = vec2i(p.x_size) - 1 - lo_tap;
  let hi = select(min(span / p.stride, vec2i(p.y_size) - 1), vec2i(-1), span < vec2i(0));
  let live = vec2u(max(hi - lo + 1, vec2i(0)));
  let n0 = split * p.images;
  let steps = (min(n0 + p.images, p.batch) - n0) * live.x * live.y;

  var acc: array<array<f32, EACH>, EACH>;
  for (var k0 = 0u; k0 < steps; k0 += DEPTH) {
    for (var i = index; i < TILE * DEPTH; i += SIDE * SIDE) {
      let k = k0 + i / TILE;
      let last = min(k, steps - 1u);
      let image = last / (live.x * live.y);
      let n = n0 + image;
      let q = last - image * live.x * live.y;
      let o = lo + vec2i(vec2u(q / live.y, q % live.y));
      let s = o * p.stride + tap;
      let inside = all(vec2u(s) < p.x_size);
      let x_at = n * p.x_channels * x_plane + x_base + select(0u, u32(s.x) * p.x_size.y + u32(s.y), inside);
      let y_at = n * p.y_channels * y_plane + y_base + u32(o.x) * p.y_size.y + u32(o.y);
      y_tile[i] = select(0.0, dy[y_at], k < steps);
      x_tile[i] = select(0.0, x[x_at], k < steps && inside);
    }
    workgroupBarrier();
    for (var k = 0u; k < DEPTH; k++) {
      var column: array<f32, EACH>;
      for (var j = 0u; j < EACH; j++) { column[j] = x_tile[k * TILE + j * SIDE + me.x]; }
      for (var i = 0u; i < EACH; i++) {
        let row = y_tile[k * TILE + i * SIDE + me.y];
        for (var j = 0u; j < EACH; j++) { acc[i][j] = fma(row, column[j], acc[i][j]); }
      }
    }
    workgroupBarrier();
  }

  for (var j = 0u; j < EACH; j++) {
    let col = first + j * SIDE + me.x;
    if (col < columns) {
      let t = col / p.channels;
      let ic = col - t * p.channels;
      let to = (t / p.kernel.y + p.origin.x) * p.full.y + t % p.kernel.y + p.origin.y;
      for (var i = 0u; i < EACH; i++) {
        let row = row0 + i * SIDE + me.y;
        if (row < p.rows) { dw[split * p.size + ((group * p.rows + row) * p.channels + ic) * p.full.x * p.full.y + to] = acc[i][j]; }
      }
    }
  }
}
