// y[i] = f(x[i], b), i < n, for one number b of x's type. PER elements an invocation, WG apart. Traffic: n loads, n stores.
alias T = f32;
alias R = f32;
const WG = 64u;
// Four halve the cost of starting invocations on a software adapter; neighbours stay neighbours in memory.
const PER = 4u;

struct Params { n: u32, b: u32 }
@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<R>;
@group(0) @binding(2) var<uniform> p: Params;

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
    if (i < p.n) { y[i] = f(x[i], bitcast<T>(p.b)); }
  }
}
