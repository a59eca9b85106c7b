// C = A B: C is M x N; operands and result through strides (see lib/matmul.wgsl), with an epilogue (lib/epilogue.wgsl).
// Tiling: a workgroup computes TILE x TILE of C in steps of DEPTH along k; tiles of A and B are staged in workgroup memory
// (lib/tiles.wgsl). Traffic: K/16 * (2 * 32 * 16) loads for 32 * 32 * K multiply-adds a workgroup. Needs no subgroups.
import package::lib::matmul;
import package::lib::epilogue;
import package::lib::tiles;
alias Loaded = f32;

@compute @workgroup_size(SIDE, SIDE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) me: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let tile = tile_of(group);
  let row0 = tile.y * TILE;
  let col0 = tile.x * TILE;
  let a_from = matrix_at(tile.matrix, p.a_at, p.offset.x);
  let b_from = matrix_at(tile.matrix, p.b_at, p.offset.y);
  var acc = Sums();
  for (var k0 = tile.begin; k0 < tile.end; k0 += DEPTH) {
    for (var i = index; i < TILE * DEPTH; i += SIDE * SIDE) {
      let counts = k0 + i / TILE < tile.end;
      let k = min(k0 + i / TILE, p.k - 1u);
      left[i] = select(0.0, a[a_from + min(row0 + i % TILE, p.m - 1u) * p.a_at.x + k * p.a_at.y], counts);
      right[i] = select(0.0, b[b_from + k * p.b_at.x + min(col0 + i % TILE, p.n - 1u) * p.b_at.y], counts);
    }
    multiply(&acc, me);
  }
  for (var i = 0u; i < EACH; i++) {
    for (var j = 0u; j < EACH; j++) {
      let row = row0 + i * SIDE + me.y;
      let col = col0 + j * SIDE + me.x;
      if (row < p.m && col < p.n) { store(tile, row, col, acc[i][j]); }
    }
  }
}
