// y[i] = x[i] as another 4-byte type, i < n. WGSL's conversion of floats rounds toward zero and saturates.
// One element an invocation. Traffic: n loads, n stores.
alias T = f32;
alias R = i32;
const WG = 64u;

struct Params { n: u32 }
@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<R>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WG;
  if (i < p.n) { y[i] = R(x[i]); }
}
