// y[i] = f(a[i'], b[i"]), i < n, where i' and i" follow the broadcasting strides (0 along a repeated dimension).
// PER elements an invocation, WG apart; dimensions that need no broadcasting of their own are merged first, mostly into one.
// Traffic: 2n loads, n stores.
alias T = f32;
alias R = f32;
const WG = 64u;
// Four halve the cost of starting invocations on a software adapter; neighbours stay neighbours in memory.
const PER = 4u;
// Of the merged walk. A constant, since a loop of unknown length doubles the cost of an element on a software adapter.
const RANK = 1u;

struct Params { n: u32, shape: array<vec4u, 2>, sa: array<vec4u, 2>, sb: array<vec4u, 2> }
@group(0) @binding(0) var<storage, read> a: array<T>;
@group(0) @binding(1) var<storage, read> b: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<R>;
@group(0) @binding(3) var<uniform> p: Params;

fn f(a: T, b: T) -> R { return a + b; }

@compute @workgroup_size(WG)
fn main(
  @builtin(local_invocation_index) local: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let first = (group.x + group.y * groups.x) * WG * PER + local;
  for (var k = 0u; k < PER; k++) {
    let i = first + k * WG;
    if (i >= p.n) { return; }
    var rest = i;
    var ia = 0u;
    var ib = 0u;
    for (var d = RANK - 1u; d > 0u; d--) {
      let size = p.shape[d / 4u][d % 4u];
      let quotient = rest / size;
      let at = rest - quotient * size;
      rest = quotient;
      ia += at * p.sa[d / 4u][d % 4u];
      ib += at * p.sb[d / 4u][d % 4u];
    }
    y[i] = f(a[ia + rest * p.sa[0][0]], b[ib + rest * p.sb[0][0]]);
  }
}
