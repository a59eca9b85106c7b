// y[n, k] = share q[n, k] + (1 - share) q[n - 1, k], q the labels as class probabilities, in the same shares as mix-images.wgsl
// mixes pictures. T = i32: labels [N], of which those out of range are no class; f32: probabilities [N, classes].
// An element an invocation. Traffic: two loads, a store an element.
import package::lib::mix;
const WG = 64u;
alias T = i32;
const PROBABILITIES = false;

struct Params { images: u32, classes: u32, height: u32, width: u32, alpha: f32 }
@group(0) @binding(0) var<storage, read> labels: array<T>;
@group(0) @binding(1) var<storage, read> u: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

var<workgroup> share: f32;

fn probability(n: u32, k: u32) -> f32 {
  if (PROBABILITIES) { return f32(labels[n * p.classes + k]); }
  return select(0.0, 1.0, u32(labels[n]) == k);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32) {
  if (local == 0u) { share = mix_of().share; }
  workgroupBarrier();
  let n = id.x / p.classes;
  if (n >= p.images) { return; }
  let k = id.x - n * p.classes;
  let other = select(n, p.images, n == 0u) - 1u;
  y[id.x] = share * probability(n, k) + (1.0 - share) * probability(other, k);
}
