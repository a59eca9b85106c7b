// norm = sqrt(sum of n partial sums); factor = maxNorm / (norm + 1e-6), at most 1, NaN where the norm is. One workgroup.
// Traffic: n loads, 2 stores.
import package::lib::nan;
import package::lib::tree;
const WG = 64u;

struct Params { n: u32, maxNorm: f32 }
@group(0) @binding(0) var<storage, read> partial: array<f32>;
@group(0) @binding(1) var<storage, read_write> norm: array<f32>;
@group(0) @binding(2) var<storage, read_write> factor: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

alias Part = f32;
fn join(a: f32, b: f32) -> f32 { return a + b; }

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < p.n; i += WG) { sum += partial[i]; }
  let total = sqrt(tree(sum, lane, WG));
  if (lane == 0u) {
    norm[0] = total;
    factor[0] = min_nan(1.0, p.maxNorm / (total + 1e-6));
  }
}
