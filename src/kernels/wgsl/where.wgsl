// y[i] = c[i'] != 0 ? a[i"] : b[i'''], i < n, each operand through its own broadcasting strides. Moves bits; `truth` masks
// the bits of c that count (all but the sign of an f32, since -0 is false). One element an invocation.
// Traffic: 3n loads, n stores.
const WG = 64u;

struct Params {
  n: u32, rank: u32, truth: u32,
  shape: array<vec4u, 2>, sc: array<vec4u, 2>, sa: array<vec4u, 2>, sb: array<vec4u, 2>,
}
@group(0) @binding(0) var<storage, read> c: array<u32>;
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read> b: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<u32>;
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WG;
  if (i >= p.n) { return; }
  var rest = i;
  var at = vec3u();
  for (var d = p.rank - 1u; d > 0u; d--) {
    let quotient = rest / p.shape[d / 4u][d % 4u];
    let here = rest - quotient * p.shape[d / 4u][d % 4u];
    at += here * vec3u(p.sc[d / 4u][d % 4u], p.sa[d / 4u][d % 4u], p.sb[d / 4u][d % 4u]);
    rest = quotient;
  }
  at += rest * vec3u(p.sc[0][0], p.sa[0][0], p.sb[0][0]);
  y[i] = select(b[at.z], a[at.y], (c[at.x] & p.truth) != 0u);
}
