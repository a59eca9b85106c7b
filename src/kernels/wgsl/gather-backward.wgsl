// dx[i] = sum over j < length with index[at(i) + j * stride] == k(i) of dy[at(i) + j * stride], where k(i) is i's position
// in the gathered dimension `dim` and at(i) that of its row of index. Rows outside of index (bounds) give 0.
// Looks up instead of scattering, so no atomics. One element an invocation.
// Traffic: n * length loads of index and one of dy for each hit, n stores.
const WG = 64u;

struct Params {
  n: u32, rank: u32, dim: u32, length: u32, stride: u32,
  shape: array<vec4u, 2>, strides: array<vec4u, 2>, bounds: array<vec4u, 2>,
}
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WG;
  if (i >= p.n) { return; }
  var rest = i;
  var at = 0u;
  var k = 0u;
  var inside = true;
  for (var r = p.rank; r > 0u; r--) {
    let d = r - 1u;
    let quotient = rest / p.shape[d / 4u][d % 4u];
    let here = rest - quotient * p.shape[d / 4u][d % 4u];
    rest = quotient;
    if (d == p.dim) {
      k = here;
    } else {
      inside = inside && here < p.bounds[d / 4u][d % 4u];
      at += here * p.strides[d / 4u][d % 4u];
    }
  }
  var sum = 0.0;
  let length = select(0u, p.length, inside);
  for (var j = 0u; j < length; j++) {
    if (index[at] == k) { sum += dy[at]; }
    at += p.stride;
  }
  dx[i] = sum;
}
