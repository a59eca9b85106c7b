// y[i] = value, i < n, as bits of any 4-byte type. One element an invocation. Traffic: n stores.
const WG = 64u;

struct Params { n: u32, value: u32 }
@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@group(0) @binding(1) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WG;
  if (i < p.n) { y[i] = p.value; }
}
