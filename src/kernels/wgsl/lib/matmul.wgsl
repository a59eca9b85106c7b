// What the matrix products share. C = A B for each matrix of a batch of `outer` times `inner`: rows, columns and both levels of the
// batch are strides apart, so that transposed operands and the heads of attention are read, and written, where they are.
// Channels of the epilogue are columns, or with BY_ROW rows.
alias Value = f32;
const BY_ROW = false;

struct Params {
  m: u32, n: u32, k: u32, inner: u32,
  // Strides of a row, of a column, and of a matrix by the outer and the inner level.
  a_at: vec4u, b_at: vec4u, c_at: vec4u,
  act: vec2f, eps: f32,
}
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(9) var<uniform> p: Params;

fn activated(v: Value) -> Value { return activate(v); }

// Where the matrix of a workgroup begins.
fn matrix_at(z: u32, at: vec4u) -> u32 { return z / p.inner * at.z + z % p.inner * at.w; }

fn store(z: u32, row: u32, col: u32, sum: f32) {
  let to = matrix_at(z, p.c_at) + row * p.c_at.x + col * p.c_at.y;
  c[to] = finish(sum, affine(select(col, row, BY_ROW)), to);
}
