// y[i] = f(x[i], b), i < n, for one number b of x's type. One element an invocation. Traffic: n loads, n stores.
alias T = f32;
alias R = f32;
const WG = 64u;

struct Params { n: u32, b: u32 }
@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<R>;
@group(0) @binding(2) var<uniform> p: Params;

fn f(a: T, b: T) -> R { return a + b; }

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WG;
  if (i < p.n) { y[i] = f(x[i], bitcast<T>(p.b)); }
}
