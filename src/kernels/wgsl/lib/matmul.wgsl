// What the matrix products share. C = A B for each matrix of a batch of `outer` times `inner`: rows, columns and both levels of the
// batch are strides apart, so that transposed operands and the heads of attention are read, and written, where they are.
// Channels of the epilogue are columns, or with BY_ROW rows.
// The kernel declares `alias Loaded`, f32 or vec4f: what a load of a or b gives.
// A long sum is split: each part of `depth` steps along k is a product of its own, `part` elements behind the one before.
alias Value = f32;
const BY_ROW = false;

struct Params {
  m: u32, n: u32, k: u32, inner: u32,
  // Strides of a row, of a column, and of a matrix by the outer and the inner level.
  a_at: vec4u, b_at: vec4u, c_at: vec4u,
  act: vec2f, eps: f32,
  depth: u32, part: u32, batch: u32, // steps of a part, elements of its result, matrices
  first: vec4u,                      // the tile where this launch begins: a grid has fewer than there may be
  offset: vec4u,                     // where a, b and c begin in what is bound
}

// A workgroup's tile, matrix, and the steps along k.
struct Tile { x: u32, y: u32, matrix: u32, part: u32, begin: u32, end: u32 }

fn tile_of(group: vec3u) -> Tile {
  let at = group + p.first.xyz;
  let part = at.z / p.batch;
  return Tile(at.x, at.y, at.z % p.batch, part, part * p.depth, min((part + 1u) * p.depth, p.k));
}

@group(0) @binding(0) var<storage, read> a: array<Loaded>;
@group(0) @binding(1) var<storage, read> b: array<Loaded>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(9) var<uniform> p: Params;

fn activated(v: Value) -> Value { return activate(v); }

// Where the matrix of a workgroup begins.
fn matrix_at(z: u32, at: vec4u, begin: u32) -> u32 { return begin + z / p.inner * at.z + z % p.inner * at.w; }

fn store(tile: Tile, row: u32, col: u32, sum: f32) {
  let to = tile.part * p.part + matrix_at(tile.matrix, p.c_at, p.offset.z) + row * p.c_at.x + col * p.c_at.y;
  c[to] = finish(sum, affine(select(col, row, BY_ROW)), to);
}
