// norm = sqrt(sum of n partial sums); factor = min(1, maxNorm / (norm + 1e-6)). One workgroup.
// Traffic: n loads, 2 stores.
const WG = 64u;

struct Params { n: u32, maxNorm: f32 }
@group(0) @binding(0) var<storage, read> partial: array<f32>;
@group(0) @binding(1) var<storage, read_write> norm: array<f32>;
@group(0) @binding(2) var<storage, read_write> factor: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

var<workgroup> sums: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < p.n; i += WG) { sum += partial[i]; }
  sums[lane] = sum;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    if (lane < half) { sums[lane] += sums[lane + half]; }
    workgroupBarrier();
  }
  if (lane == 0u) {
    let total = sqrt(sums[0]);
    norm[0] = total;
    factor[0] = min(1.0, p.maxNorm / (total + 1e-6));
  }
}
