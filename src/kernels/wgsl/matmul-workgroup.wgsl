// C[b] = A[b] B[b]: C is M x N; A and B are read through strides, so either may be transposed.
// Tiling: a workgroup of 8 x 8 invocations computes 32 x 32 of C in steps of 16 along k; tiles of A and B are staged in
// workgroup memory, and an invocation holds 4 x 4 accumulators.
// Traffic: K/16 * (2 * 32 * 16) loads for 32 * 32 * K multiply-adds a workgroup. Needs no subgroups.
const TILE = 32u;
const DEPTH = 16u;
const SIDE = 8u; // invocations along one side of the workgroup
const EACH = TILE / SIDE; // accumulators along one side of an invocation

struct Params {
  m: u32, n: u32, k: u32,
  a_row: u32, a_k: u32, b_k: u32, b_col: u32,
  a_batch: u32, b_batch: u32, c_batch: u32, c_row: u32,
}
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

var<workgroup> a_tile: array<f32, TILE * DEPTH>; // [k][row]
var<workgroup> b_tile: array<f32, TILE * DEPTH>; // [k][column]

@compute @workgroup_size(SIDE, SIDE)
fn main(
  @builtin(workgroup_id) tile: vec3u,
  @builtin(local_invocation_id) at: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let row0 = tile.y * TILE;
  let col0 = tile.x * TILE;
  var acc: array<array<f32, EACH>, EACH>;
  for (var k0 = 0u; k0 < p.k; k0 += DEPTH) {
    for (var i = index; i < TILE * DEPTH; i += SIDE * SIDE) {
      let k = k0 + i / TILE;
      let row = row0 + i % TILE;
      let col = col0 + i % TILE;
      a_tile[i] = select(0.0, a[tile.z * p.a_batch + min(row, p.m - 1u) * p.a_row + min(k, p.k - 1u) * p.a_k], k < p.k);
      b_tile[i] = select(0.0, b[tile.z * p.b_batch + min(col, p.n - 1u) * p.b_col + min(k, p.k - 1u) * p.b_k], k < p.k);
    }
    workgroupBarrier();
    for (var k = 0u; k < DEPTH; k++) {
      var column: array<f32, EACH>;
      for (var j = 0u; j < EACH; j++) { column[j] = b_tile[k * TILE + j * SIDE + at.x]; }
      for (var i = 0u; i < EACH; i++) {
        let row = a_tile[k * TILE + i * SIDE + at.y];
        for (var j = 0u; j < EACH; j++) { acc[i][j] = fma(row, column[j], acc[i][j]); }
      }
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < EACH; i++) {
    for (var j = 0u; j < EACH; j++) {
      let row = row0 + i * SIDE + at.y;
      let col = col0 + j * SIDE + at.x;
      if (row < p.m && col < p.n) { c[tile.z * p.c_batch + row * p.c_row + col] = acc[i][j]; }
    }
  }
}
