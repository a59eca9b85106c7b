// y[i] = f(y[i], b[i']), i < n, in place; i' follows b's broadcasting strides. One element an invocation.
// Traffic: 2n loads, n stores.
alias T = f32;
const WG = 64u;

struct Params { n: u32, rank: u32, shape: array<vec4u, 2>, strides: array<vec4u, 2> }
@group(0) @binding(0) var<storage, read_write> y: array<T>;
@group(0) @binding(1) var<storage, read> b: array<T>;
@group(0) @binding(2) var<uniform> p: Params;

fn f(a: T, b: T) -> T { return a + b; }

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WG;
  if (i >= p.n) { return; }
  var rest = i;
  var at = 0u;
  for (var d = p.rank - 1u; d > 0u; d--) {
    let quotient = rest / p.shape[d / 4u][d % 4u];
    at += (rest - quotient * p.shape[d / 4u][d % 4u]) * p.strides[d / 4u][d % 4u];
    rest = quotient;
  }
  y[i] = f(y[i], b[at + rest * p.strides[0][0]]);
}
