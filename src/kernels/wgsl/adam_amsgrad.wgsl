// Adam and AdamW as in adam.wgsl, with AMSGrad: the step divides by the largest v so far.
//   top = max(top, v); p = keep * p - stepSize * m / (sqrt(top) * scale + eps)
// Traffic: 5n loads, 4n stores.
const WG = 64u;
// Vectors of four an invocation; the last one may reach past n into the padding of its buffer.
const VECTORS = 8u;

struct Params { n: u32 }
struct Hyper {
  stepSize: f32, beta1: f32, mix1: f32, beta2: f32, mix2: f32, scale: f32, eps: f32, l2: f32, keep: f32,
}
@group(0) @binding(0) var<storage, read> hyper: Hyper;
@group(0) @binding(1) var<storage, read> g: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> p: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> top: array<vec4f>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.x + group.y * groups.x) * WG * VECTORS;
  let end = min(first + WG * VECTORS, (params.n + 3u) / 4u);
  let h = hyper;
  for (var i = first + lane; i < end; i += WG) {
    let x = p[i];
    let d = h.l2 * x + g[i];
    let mean = h.beta1 * m[i] + h.mix1 * d;
    let square = h.beta2 * v[i] + h.mix2 * d * d;
    m[i] = mean;
    v[i] = square;
    let largest = max(top[i], square);
    top[i] = largest;
    p[i] = h.keep * x - h.stepSize * mean / (sqrt(largest) * h.scale + h.eps);
  }
}
