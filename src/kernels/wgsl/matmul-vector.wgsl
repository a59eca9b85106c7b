// C = A B as in matmul-subgroup.wgsl, for operands whose elements lie side by side along one of their two dimensions, with vectors
// of four that begin at multiples of four: on a software adapter these cost half of four single loads. Of A a lane has, for each H
// rows, the next four elements along k or, with A_ROWS, elements of four neighbouring rows; of B its V columns' next elements along k
// or, with B_COLUMNS, elements of four neighbouring columns, which are its V.
// Tiling: one subgroup is one workgroup and computes R rows by V*SG columns; with A_ROWS R is 4*H.
// Traffic: (R/H + V) loads of vectors for 4*R*V multiply-adds a lane where both go along k. Needs subgroups of SG lanes.
import package::lib::matmul;
import package::lib::epilogue;
import package::lib::outer;
enable subgroups;
alias Loaded = vec4f;
const A_ROWS = false;
const B_COLUMNS = false;

@compute @workgroup_size(SG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let tile = tile_of(group);
  let row0 = tile.y * R;
  let col0 = tile.x * SG * V;
  // Rows and columns past the end are read at the last one, and not stored.
  var a_from = array<u32, J>();
  let a_begin = matrix_at(tile.matrix, p.a_at, p.offset.x);
  for (var j = 0u; j < J; j++) {
    if (A_ROWS) { a_from[j] = a_begin + min(row0 + 4u * lane, (p.m - 1u) & 0xfffffffcu); }
    else { a_from[j] = a_begin + min(row0 + H * j + lane, p.m - 1u) * p.a_at.x; }
  }
  var b_from = array<u32, V>();
  let b_begin = matrix_at(tile.matrix, p.b_at, p.offset.y);
  for (var v = 0u; v < V; v++) {
    if (B_COLUMNS) { b_from[v] = b_begin + min(col0 + V * lane, (p.n - 1u) & 0xfffffffcu); }
    else { b_from[v] = b_begin + min(col0 + SG * v + lane, p.n - 1u) * p.b_at.y; }
  }

  var acc = Sums();
  for (var k0 = tile.begin; k0 < tile.end; k0 += U) {
    var column = Columns();
    var mine = Rows();
    // A step past the end counts nothing.
    let last = tile.end - 1u;
    if (!A_ROWS) {
      for (var j = 0u; j < J; j++) {
        let four = a[(a_from[j] + k0) >> 2u];
        for (var u = 0u; u < U; u++) { mine[j][u] = select(0.0, four[u], k0 + u <= last); }
      }
    } else {
      for (var u = 0u; u < U; u++) {
        let four = a[(a_from[0] + min(k0 + u, last) * p.a_at.y) >> 2u];
        for (var j = 0u; j < J; j++) { mine[j][u] = select(0.0, four[j], k0 + u <= last); }
      }
    }
    if (!B_COLUMNS) {
      for (var v = 0u; v < V; v++) {
        let four = b[(b_from[v] + k0) >> 2u];
        for (var u = 0u; u < U; u++) { column[u][v] = select(0.0, four[u], k0 + u <= last); }
      }
    } else {
      for (var u = 0u; u < U; u++) {
        let four = b[(b_from[0] + min(k0 + u, last) * p.b_at.x) >> 2u];
        for (var v = 0u; v < V; v++) { column[u][v] = select(0.0, four[v], k0 + u <= last); }
      }
    }
    multiply(&acc, &mine, &column);
  }

  for (var v = 0u; v < V; v++) {
    let col = col0 + select(SG * v + lane, V * lane + v, B_COLUMNS);
    for (var i = 0u; i < R; i++) {
      let row = row0 + select(i, 4u * (i % H) + i / H, A_ROWS);
      if (col < p.n && row < p.m) { store(tile, row, col, acc[i][v]); }
    }
  }
}
