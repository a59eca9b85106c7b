// C = A B: C is M x N; operands and result through strides (see lib/matmul.wgsl), with an epilogue (lib/epilogue.wgsl).
// Tiling: one subgroup is one workgroup and computes R rows by V*SG columns. For each k a lane loads one element of A
// for each H rows, and V elements of B; subgroupShuffle hands the elements of A round. The accumulators stay in registers.
// Traffic: (R/H + V) loads for R*V multiply-adds a lane. Needs subgroups of SG lanes, R at most SG or a multiple.
import package::lib::matmul;
import package::lib::epilogue;
import package::lib::outer;
enable subgroups;
alias Loaded = f32;

@compute @workgroup_size(SG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let tile = tile_of(group);
  let row0 = tile.y * R;
  let col0 = tile.x * SG * V + lane;
  // Rows and columns past the end are read at the last one, and not stored.
  var a_from = array<u32, J>();
  for (var j = 0u; j < J; j++) { a_from[j] = matrix_at(tile.matrix, p.a_at, p.offset.x) + min(row0 + H * j + lane, p.m - 1u) * p.a_at.x; }
  var b_from = array<u32, V>();
  for (var v = 0u; v < V; v++) { b_from[v] = matrix_at(tile.matrix, p.b_at, p.offset.y) + min(col0 + SG * v, p.n - 1u) * p.b_at.y; }

  var acc = Sums();
  for (var k0 = tile.begin; k0 < tile.end; k0 += U) {
    var column = Columns();
    var mine = Rows();
    for (var u = 0u; u < U; u++) {
      let k = min(k0 + u, p.k - 1u);
      // A step past the end counts nothing.
      let counts = k0 + u < tile.end;
      for (var v = 0u; v < V; v++) { column[u][v] = select(0.0, b[b_from[v] + k * p.b_at.x], counts); }
      for (var j = 0u; j < J; j++) { mine[j][u] = select(0.0, a[a_from[j] + k * p.a_at.y], counts); }
    }
    multiply(&acc, &mine, &column);
  }

  for (var v = 0u; v < V; v++) {
    let col = col0 + SG * v;
    for (var i = 0u; i < R; i++) {
      if (col < p.n && row0 + i < p.m) { store(tile, row0 + i, col, acc[i][v]); }
    }
  }
}
