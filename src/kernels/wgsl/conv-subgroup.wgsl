// Convolution, forward and input gradient alike, as implicit GEMM:
//   dest[n, row, i*div + phase] = bias[row] + sum over k, taps t of weight[row, k, t] * source[n, k, i*step + offset(t)]
//   with offset(t) = (phase + base + t*dil) / div, for the taps where that division leaves no rest.
// Forward: rows are output channels, step = stride, base = -padding, dil = dilation, div = 1.
// Input gradient: rows are input channels, source is dy, step = 1, base = padding, dil = -dilation, div = stride: each of
// the stride*stride phases of dx sees only the taps that reach it.
// Tiling: one subgroup is one workgroup: R rows by V*SG positions of the whole batch. A lane loads one weight for each
// SG rows, and V elements of the source; subgroupShuffle hands the weights round. Taps that no position of the tile
// reaches inside the source are skipped; on small maps the columns run over the images first (images_first), so that a
// tile holds few positions and skips exactly.
// Traffic: (R/H + V) loads for R*V multiply-adds a lane. Needs subgroups of SG lanes, R at most SG or a multiple.
enable subgroups;
// One subgroup is the whole workgroup, so what subgroupAny returns is uniform, which the analysis does not know.
diagnostic(off, subgroup_uniformity);

const SG = 8u;
const R = 16u;
// Rows that one load of each lane provides, and such loads.
const H = min(SG, R);
const J = R / H;
const V = 4u;
// Channels an iteration: each accumulator takes its multiply-adds in a row, so that it is touched half as often.
const U = 2u;

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

// The image of a column, and its position (row by row) in the phase's grid.
fn locate(col: u32, positions: u32) -> vec2u {
  if (p.images_first != 0u) { return vec2u(col % p.batch, col / p.batch); }
  return vec2u(col / positions, col % positions);
}

// The first tap of each dimension for which the division in offset(t) leaves no rest; every tap_step-th one follows. Divisions
// are slow: one for each tap and lane would cost as much as a few channels' multiply-adds.
fn first_taps(num: vec2i) -> vec2u {
  var first = p.kernel;
  for (var t = i32(p.tap_step.x) - 1; t >= 0; t--) { if ((num.x + t * p.dil.x) % p.div.x == 0) { first.x = u32(t); } }
  for (var t = i32(p.tap_step.y) - 1; t >= 0; t--) { if ((num.y + t * p.dil.y) % p.div.y == 0) { first.y = u32(t); } }
  return first;
}

@compute @workgroup_size(SG)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let div = vec2u(p.div);
  let group = tile.z / (div.x * div.y);
  let phase = vec2u(tile.z / div.y % div.x, tile.z % div.y);
  let grid = (p.dest - phase + div - 1u) / div; // positions of this phase
  let positions = grid.x * grid.y;
  let columns = p.batch * positions;
  if (tile.x * SG * V >= columns) { return; }

  let row0 = tile.y * R;
  let col0 = tile.x * SG * V + lane;
  let plane = p.source.x * p.source.y;
  var image: array<u32, V>; // where the position's image starts in the source
  var at: array<vec2i, V>;
  for (var v = 0u; v < V; v++) {
    let nq = locate(min(col0 + SG * v, columns - 1u), positions);
    image[v] = (nq.x * p.source_channels + group * p.k) * plane;
    at[v] = vec2i(vec2u(nq.y / grid.y, nq.y % grid.y)) * p.step;
  }

  var acc: array<array<f32, V>, R>;
  let first = first_taps(vec2i(phase) + p.base);
  let off0 = (vec2i(phase) + p.base + vec2i(first) * p.dil) / p.div;
  var off = off0;
  for (var th = first.x; th < p.kernel.x; th += p.tap_step.x) {
    off.y = off0.y;
    for (var tw = first.y; tw < p.kernel.y; tw += p.tap_step.y) {
      var s_at: array<u32, V>;
      var inside: array<bool, V>;
      var any_inside = false;
      for (var v = 0u; v < V; v++) {
        let s = at[v] + off;
        inside[v] = all(vec2u(s) < p.source);
        any_inside |= inside[v];
        s_at[v] = image[v] + select(0u, u32(s.x) * p.source.y + u32(s.y), inside[v]);
      }
      off.y += p.off_step.y;
      if (!subgroupAny(any_inside)) { continue; }
      var w_at: array<u32, J>;
      for (var j = 0u; j < J; j++) {
        w_at[j] = group * p.w_group + min(row0 + H * j + lane, p.rows - 1u) * p.w_row + th * p.kernel.y + tw;
      }
      for (var k0 = 0u; k0 < p.k; k0 += U) {
        var column: array<array<f32, V>, U>;
        for (var u = 0u; u < U; u++) {
          let k = min(k0 + u, p.k - 1u);
          // A channel past the end counts nothing.
          for (var v = 0u; v < V; v++) {
            column[u][v] = select(0.0, source[s_at[v] + k * plane], inside[v] && k0 + u < p.k);
          }
        }
        for (var j = 0u; j < J; j++) {
          var mine: array<f32, U>;
          for (var u = 0u; u < U; u++) {
            mine[u] = select(0.0, weight[w_at[j] + min(k0 + u, p.k - 1u) * p.w_k], k0 + u < p.k);
          }
          for (var i = 0u; i < H; i++) {
            var row: array<f32, U>;
            for (var u = 0u; u < U; u++) { row[u] = subgroupShuffle(mine[u], i); }
            for (var v = 0u; v < V; v++) {
              for (var u = 0u; u < U; u++) { acc[j * H + i][v] = fma(row[u], column[u][v], acc[j * H + i][v]); }
            }
          }
        }
      }
    }
    off.x += p.off_step.x;
  }

  let dest_plane = p.dest.x * p.dest.y;
  var to: array<u32, V>;
  for (var v = 0u; v < V; v++) {
    let nq = locate(min(col0 + SG * v, columns - 1u), positions);
    let at = vec2u(nq.y / grid.y, nq.y % grid.y) * div + phase;
    to[v] = (nq.x * p.dest_channels + group * p.rows) * dest_plane + at.x * p.dest.y + at.y;
  }
  for (var i = 0u; i < R; i++) {
    let row = row0 + i;
    if (row < p.rows) {
      let scale = affine(group * p.rows + row);
      for (var v = 0u; v < V; v++) {
        let at = to[v] + row * dest_plane;
        if (col0 + SG * v < columns) { dest[at] = finish(acc[i][v], scale, at); }
      }
    }
  }
}
