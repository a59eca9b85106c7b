// Weight gradient of a convolution as implicit GEMM:
//   dw[row, ic, t] = sum over n, o of dy[n, row, o] * x[n, ic, o*stride - padding + t*dilation]
// Rows are output channels; columns run over (t, ic), ic fastest, or on large maps taps_first: the taps of a channel share
// lines of the cache, while channels are a power of two apart and push each other out. The reduction runs over the positions o of all images.
// Where the grid is small, each of several splits sums over its share of the images, and the results are added up after.
// The plan crops the kernel to its live taps (kernel, padding; the full kernel and the crop's origin say where results
// go) and clears the rest; of the positions, only those that one of the tile's taps can reach inside x are visited.
// Tiling: one subgroup is one workgroup: R rows by V*SG columns. A lane loads one element of dy for each H rows and V
// elements of x; subgroupShuffle hands dy round.
// Traffic: (R/H + V) loads for R*V multiply-adds a lane. Needs subgroups of SG lanes, R at most SG or a multiple.
enable subgroups;

const SG = 8u;
const R = 16u;
// Rows that one load of each lane provides, and such loads.
const H = min(SG, R);
const J = R / H;
const V = 4u;
// Positions an iteration: each accumulator takes its multiply-adds in a row, so that it is touched half as often.
const U = 2u;

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

// The tap and the input channel of a column.
fn locate(col: u32, taps: u32) -> vec2u {
  if (p.taps_first != 0u) { return vec2u(col % taps, col / taps); }
  return vec2u(col / p.channels, col % p.channels);
}

@compute @workgroup_size(SG)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let split = tile.z / p.planes;
  let group = tile.z % p.planes;
  let taps = p.kernel.x * p.kernel.y;
  let columns = taps * p.channels;
  let row0 = tile.y * R;
  let first = tile.x * SG * V;
  let x_plane = p.x_size.x * p.x_size.y;
  let y_plane = p.y_size.x * p.y_size.y;

  var x_base: array<u32, V>;
  var tap: array<vec2i, V>; // where the lane's tap looks, relative to o*stride
  for (var v = 0u; v < V; v++) {
    let at = locate(min(first + SG * v + lane, columns - 1u), taps);
    x_base[v] = (group * p.channels + at.y) * x_plane;
    tap[v] = vec2i(vec2u(at.x / p.kernel.y, at.x % p.kernel.y)) * p.dilation - p.padding;
  }
  var y_base: array<u32, J>;
  for (var j = 0u; j < J; j++) { y_base[j] = (group * p.rows + min(row0 + H * j + lane, p.rows - 1u)) * y_plane; }

  // The positions that the tile's taps, from the first to the last, can reach.
  let t0 = select(first / p.channels, 0u, p.taps_first != 0u);
  let t1 = select(min(first + SG * V - 1u, columns - 1u) / p.channels, taps - 1u, p.taps_first != 0u);
  let one_row = t0 / p.kernel.y == t1 / p.kernel.y;
  let lo_tap = vec2i(vec2u(t0 / p.kernel.y, select(0u, t0 % p.kernel.y, one_row))) * p.dilation - p.padding;
  let hi_tap = vec2i(vec2u(t1 / p.kernel.y, select(p.kernel.y - 1u, t1 % p.kernel.y, one_row))) * p.dilation - p.padding;
  let lo = max((-hi_tap + p.stride - 1) / p.stride, vec2i(0));
  let span = vec2i(p.x_size) - 1 - lo_tap;
  let hi = select(min(span / p.stride, vec2i(p.y_size) - 1), vec2i(-1), span < vec2i(0));
  let live = vec2u(max(hi - lo + 1, vec2i(0)));
  // The images of this split.
  let n0 = split * p.images;
  let steps = (min(n0 + p.images, p.batch) - n0) * live.x * live.y;

  var acc: array<array<f32, V>, R>;
  var n = n0;
  var o = lo;
  for (var k = 0u; k < steps; k += U) {
    var column: array<array<f32, V>, U>;
    var mine: array<array<f32, U>, J>;
    for (var u = 0u; u < U; u++) {
      // A position past the last one counts nothing.
      let counts = k + u < steps;
      let image = min(n, p.batch - 1u);
      let y_at = image * p.y_channels * y_plane + u32(o.x) * p.y_size.y + u32(o.y);
      let x_at = image * p.x_channels * x_plane;
      for (var v = 0u; v < V; v++) {
        let s = o * p.stride + tap[v];
        let inside = all(vec2u(s) < p.x_size);
        let at = x_at + x_base[v] + select(0u, u32(s.x) * p.x_size.y + u32(s.y), inside);
        column[u][v] = select(0.0, x[at], inside && counts);
      }
      for (var j = 0u; j < J; j++) { mine[j][u] = select(0.0, dy[y_base[j] + y_at], counts); }
      // Next position: along the row, then the next row, then the next image.
      let end_w = o.y == hi.y;
      let end_h = end_w && o.x == hi.x;
      o = vec2i(select(select(o.x, o.x + 1, end_w), lo.x, end_h), select(o.y + 1, lo.y, end_w));
      n += u32(end_h);
    }
    for (var j = 0u; j < J; j++) {
      for (var i = 0u; i < H; i++) {
        var row: array<f32, U>;
        for (var u = 0u; u < U; u++) { row[u] = subgroupShuffle(mine[j][u], i); }
        for (var v = 0u; v < V; v++) {
          for (var u = 0u; u < U; u++) { acc[j * H + i][v] = fma(row[u], column[u][v], acc[j * H + i][v]); }
        }
      }
    }
  }

  for (var v = 0u; v < V; v++) {
    let col = first + SG * v + lane;
    if (col < columns) {
      let at = locate(col, taps);
      let to = (at.x / p.kernel.y + p.origin.x) * p.full.y + at.x % p.kernel.y + p.origin.y;
      for (var i = 0u; i < R; i++) {
        if (row0 + i < p.rows) { dw[split * p.size + ((group * p.rows + row0 + i) * p.channels + at.y) * p.full.x * p.full.y + to] = acc[i][v]; }
      }
    }
  }
}
