// Adds up the (loss, weight) that the workgroups of cross-entropy.wgsl left in `totals`, and divides for a mean.
// One workgroup. Traffic: one load a workgroup of the first kernel.
import package::lib::tree;
const WG = 64u;
alias Part = vec2f;

struct Params { rows: u32, groups: u32, reduction: u32 }
@group(0) @binding(0) var<storage, read> totals: array<vec2f>;
@group(0) @binding(1) var<storage, read_write> loss: array<f32>;
@group(0) @binding(2) var<storage, read_write> saved: array<vec4f>;
@group(0) @binding(3) var<uniform> p: Params;

fn join(a: Part, b: Part) -> Part { return a + b; }

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) i: u32) {
  var own = vec2f();
  for (var g = i; g < p.groups; g += WG) { own += totals[g]; }
  let sum = tree(own, i, WG);
  if (i != 0u) { return; }
  let scale = select(1.0, 1.0 / sum.y, p.reduction == 2u);
  loss[0] = sum.x * scale;
  saved[p.rows] = vec4f(scale, 0.0, 0.0, 0.0);
}
