// C[b] = A[b] B[b]: C is M x N; A and B are read through strides, so either may be transposed.
// Tiling: one subgroup is one workgroup and computes R rows by V*SG columns. For each k a lane loads one element of A
// for each H rows, and V elements of B; subgroupShuffle hands the elements of A round. The accumulators stay in registers.
// Traffic: (R/H + V) loads for R*V multiply-adds a lane. Needs subgroups of SG lanes, R at most SG or a multiple.
enable subgroups;

const SG = 8u;
const R = 16u;
// Rows that one load of each lane provides, and such loads.
const H = min(SG, R);
const J = R / H;
const V = 4u;
// Steps of k an iteration: each accumulator takes its multiply-adds in a row, so that it is touched half as often.
const U = 2u;

struct Params {
  m: u32, n: u32, k: u32,
  a_row: u32, a_k: u32, b_k: u32, b_col: u32,
  a_batch: u32, b_batch: u32, c_batch: u32, c_row: u32,
}
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(SG)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let row0 = tile.y * R;
  let col0 = tile.x * SG * V + lane;
  // Rows and columns past the end are read at the last one, and not stored.
  var a_at: array<u32, J>;
  for (var j = 0u; j < J; j++) { a_at[j] = tile.z * p.a_batch + min(row0 + H * j + lane, p.m - 1u) * p.a_row; }
  var b_at: array<u32, V>;
  for (var v = 0u; v < V; v++) { b_at[v] = tile.z * p.b_batch + min(col0 + SG * v, p.n - 1u) * p.b_col; }

  var acc: array<array<f32, V>, R>;
  for (var k0 = 0u; k0 < p.k; k0 += U) {
    var column: array<array<f32, V>, U>;
    for (var u = 0u; u < U; u++) {
      let k = min(k0 + u, p.k - 1u);
      // A step past the end counts nothing.
      for (var v = 0u; v < V; v++) { column[u][v] = select(0.0, b[b_at[v] + k * p.b_k], k0 + u < p.k); }
    }
    for (var j = 0u; j < J; j++) {
      var mine: array<f32, U>;
      for (var u = 0u; u < U; u++) {
        mine[u] = select(0.0, a[a_at[j] + min(k0 + u, p.k - 1u) * p.a_k], k0 + u < p.k);
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

  for (var v = 0u; v < V; v++) {
    let col = col0 + SG * v;
    if (col < p.n) {
      for (var i = 0u; i < R; i++) {
        if (row0 + i < p.m) { c[tile.z * p.c_batch + (row0 + i) * p.c_row + col] = acc[i][v]; }
      }
    }
  }
}
