// y[row * pitch + offset + j] = x[row * width + j], j < width: one operand of a concatenation, moved as bits.
// One element an invocation. Traffic: n loads, n stores.
const WG = 64u;

struct Params { n: u32, width: u32, pitch: u32, offset: u32 }
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WG;
  if (i >= p.n) { return; }
  let row = i / p.width;
  y[row * (p.pitch - p.width) + i + p.offset] = x[i];
}
