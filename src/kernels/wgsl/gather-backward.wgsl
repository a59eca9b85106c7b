// dx[i] = sum over j < length with index[at'(i) + j * index_stride] == k(i) of dy[at(i) + j * stride], i < n, where k(i) is i's
// position in the gathered dimension `dim`, and at(i) and at'(i) those of its row of dy and of index. Rows outside of dy
// (bounds) give 0. Bound may be a part of dx: k counts from `low` on. Looks up instead of scattering, so no atomics.
// Traffic: n * length loads of index and one of dy for each hit, n stores.
import package::lib::each;
// Dimensions of dx.
const RANK = 1u;

struct Params {
  n: u32, dim: u32, low: u32, length: u32, stride: u32, index_stride: u32,
  shape: array<vec4u, 2>, strides: array<vec4u, 2>, index_strides: array<vec4u, 2>, bounds: array<vec4u, 2>,
}
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

fn each(i: u32) {
  var rest = i;
  var at = 0u;
  var index_at = 0u;
  var k = 0u;
  var length = p.length;
  for (var r = RANK; r > 0u; r--) {
    let d = r - 1u;
    let size = p.shape[d / 4u][d % 4u];
    let here = rest % size;
    rest /= size;
    if (d == p.dim) {
      k = here + p.low;
    } else {
      if (here >= p.bounds[d / 4u][d % 4u]) { length = 0u; }
      at += here * p.strides[d / 4u][d % 4u];
      index_at += here * p.index_strides[d / 4u][d % 4u];
    }
  }
  var sum = 0.0;
  for (var j = 0u; j < length; j++) {
    if (index[index_at + j * p.index_stride] == k) { sum += dy[at + j * p.stride]; }
  }
  dx[i] = sum;
}
