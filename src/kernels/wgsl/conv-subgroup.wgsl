// Convolution, forward and input gradient alike: formula and parameters in lib/conv.wgsl.
// Tiling: one subgroup is one workgroup: R rows by V*SG positions of the whole batch. A lane loads one weight for each
// SG rows, and V elements of the source; subgroupShuffle hands the weights round. Taps that no position of the tile
// reaches inside the source are skipped; on small maps the columns run over the images first (images_first), so that a
// tile holds few positions and skips exactly.
// Traffic: (R/H + V) loads for R*V multiply-adds a lane. Needs subgroups of SG lanes, R at most SG or a multiple.
import package::lib::conv;
import package::lib::epilogue;
import package::lib::outer;
enable subgroups;
// One subgroup is the whole workgroup, so what subgroupAny returns is uniform, which the analysis does not know.
diagnostic(off, subgroup_uniformity);

alias Value = f32;

fn activated(v: Value) -> Value { return activate(v); }

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
  var image = array<u32, V>(); // where the position's image starts in the source
  var at = array<vec2i, V>();
  for (var v = 0u; v < V; v++) {
    let nq = locate(min(col0 + SG * v, columns - 1u), positions);
    image[v] = (nq.x * p.source_channels + group * p.k) * plane;
    at[v] = vec2i(vec2u(nq.y / grid.y, nq.y % grid.y)) * p.step;
  }

  var acc = Sums();
  let first = first_taps(vec2i(phase) + p.base);
  let off0 = (vec2i(phase) + p.base + vec2i(first) * p.dil) / p.div;
  var off = off0;
  for (var th = first.x; th < p.kernel.x; th += p.tap_step.x) {
    off.y = off0.y;
    for (var tw = first.y; tw < p.kernel.y; tw += p.tap_step.y) {
      var s_at = array<u32, V>();
      var inside = array<bool, V>();
      var any_inside = false;
      for (var v = 0u; v < V; v++) {
        let s = at[v] + off;
        inside[v] = all(vec2u(s) < p.source);
        any_inside |= inside[v];
        s_at[v] = image[v] + select(0u, u32(s.x) * p.source.y + u32(s.y), inside[v]);
      }
      off.y += p.off_step.y;
      if (!subgroupAny(any_inside)) { continue; }
      var w_at = array<u32, J>();
      for (var j = 0u; j < J; j++) {
        w_at[j] = group * p.w_group + min(row0 + H * j + lane, p.rows - 1u) * p.w_row + th * p.kernel.y + tw;
      }
      for (var k0 = 0u; k0 < p.k; k0 += U) {
        var column = Columns();
        var mine = Rows();
        for (var u = 0u; u < U; u++) {
          let k = min(k0 + u, p.k - 1u);
          // A channel past the end counts nothing.
          let counts = k0 + u < p.k;
          for (var v = 0u; v < V; v++) { column[u][v] = select(0.0, source[s_at[v] + k * plane], inside[v] && counts); }
          for (var j = 0u; j < J; j++) { mine[j][u] = select(0.0, weight[w_at[j] + k * p.w_k], counts); }
        }
        multiply(&acc, &mine, &column);
      }
    }
    off.x += p.off_step.x;
  }

  let dest_plane = p.dest.x * p.dest.y;
  var to = array<u32, V>();
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
