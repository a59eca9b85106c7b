// y[i] = the i-th half of x as f32, i < n: two halves a word of x. One element an invocation.
// Traffic: n loads, n stores.
const WG = 64u;

struct Params { n: u32 }
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WG;
  if (i >= p.n) { return; }
  let pair = unpack2x16float(x[i / 2u]);
  y[i] = select(pair.x, pair.y, (i & 1u) == 1u);
}
