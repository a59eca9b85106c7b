// Adds up the (loss, weight) that the workgroups of cross-entropy.wgsl left behind the samples' entries, and divides for
// a mean. One workgroup. Traffic: one load a workgroup of the first kernel.
const WG = 64u;

struct Params { rows: u32, groups: u32, reduction: u32 }

@group(0) @binding(0) var<storage, read_write> loss: array<f32>;
@group(0) @binding(1) var<storage, read_write> saved: array<vec4f>;
@group(0) @binding(2) var<uniform> p: Params;

var<workgroup> parts: array<vec2f, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) i: u32) {
  var total = vec2f();
  for (var g = i; g < p.groups; g += WG) { total += saved[p.rows + 1u + g].xy; }
  parts[i] = total;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    if (i < half) { parts[i] += parts[i + half]; }
    workgroupBarrier();
  }
  if (i == 0u) {
    total = parts[0];
    let scale = select(1.0, 1.0 / total.y, p.reduction == 2u);
    loss[0] = total.x * scale;
    saved[p.rows] = vec4f(scale, 0.0, 0.0, 0.0);
  }
}
