// Weight gradient of a convolution as implicit GEMM: formula and parameters in lib/conv-weight.wgsl.
// Columns run over (t, ic), ic fastest, or on large maps taps_first: the taps of a channel share lines of the cache, while
// channels are a power of two apart and push each other out. Of the positions, only those that one of the tile's taps can reach
// inside x are visited.
// Tiling: one subgroup is one workgroup: R rows by V*SG columns. A lane loads one element of dy for each H rows and V
// elements of x; subgroupShuffle hands dy round.
// Traffic: (R/H + V) loads for R*V multiply-adds a lane. Needs subgroups of SG lanes, R at most SG or a multiple.
import package::lib::conv_weight;
import package::lib::conv_reach;
import package::lib::outer;
enable subgroups;

alias Value = f32;

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

  var x_base = array<u32, V>();
  var tap = array<vec2i, V>(); // where the lane's tap looks, relative to o*stride
  for (var v = 0u; v < V; v++) {
    let at = locate(min(first + SG * v + lane, columns - 1u), taps);
    x_base[v] = (group * p.channels + at.y) * x_plane;
    tap[v] = looks(vec2u(at.x / p.kernel.y, at.x % p.kernel.y));
  }
  var y_base = array<u32, J>();
  for (var j = 0u; j < J; j++) { y_base[j] = (group * p.rows + min(row0 + H * j + lane, p.rows - 1u)) * y_plane; }

  // The positions that the tile's taps, from the first to the last, can reach.
  let t0 = select(first / p.channels, 0u, p.taps_first != 0u);
  let t1 = select(min(first + SG * V - 1u, columns - 1u) / p.channels, taps - 1u, p.taps_first != 0u);
  let around = reach(t0, t1);
  let lo = around.low;
  let hi = around.high;
  let live = vec2u(max(hi - lo + 1, vec2i(0)));
  // The images of this split.
  let n0 = split * p.images;
  let steps = (min(n0 + p.images, p.batch) - n0) * live.x * live.y;

  var acc = Sums();
  var n = n0;
  var o = lo;
  for (var k = 0u; k < steps; k += U) {
    var column = Columns();
    var mine = Rows();
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
    multiply(&acc, &mine, &column);
  }

  for (var v = 0u; v < V; v++) {
    let col = first + SG * v + lane;
    if (col < columns) {
      let at = locate(col, taps);
      for (var i = 0u; i < R; i++) {
        if (row0 + i < p.rows) { dw[place(split, group * p.rows + row0 + i, at.y, at.x)] = acc[i][v]; }
      }
    }
  }
}
