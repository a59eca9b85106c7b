// Adam and AdamW as in adam.wgsl, with AMSGrad: the step divides by the largest v so far. For up to two parameters.
//   top = max(top, v); p = keep * p - stepSize * m / (sqrt(top) * scale + eps)
// Traffic: 5n loads, 4n stores.
const WG = 64u;
// Vectors of four an invocation; a parameter's last one may reach into the padding behind it.
const VECTORS = 8u;

// Of each parameter: its vectors, where its state starts (in vectors), and its first workgroup.
struct Params { n: vec3u, state: vec3u, start: vec3u }
struct Hyper {
  stepSize: f32, beta1: f32, mix1: f32, beta2: f32, mix2: f32, scale: f32, eps: f32, l2: f32, keep: f32,
}
@group(0) @binding(0) var<uniform> hyper: Hyper;
@group(0) @binding(1) var<storage, read> g0: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> p0: array<vec4f>;
@group(0) @binding(3) var<storage, read> g1: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> p1: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> top: array<vec4f>;
@group(0) @binding(8) var<uniform> params: Params;

fn advance(h: Hyper, x: vec4f, g: vec4f, i: u32) -> vec4f {
  let d = h.l2 * x + g;
  let mean = h.beta1 * m[i] + h.mix1 * d;
  let square = h.beta2 * v[i] + h.mix2 * d * d;
  m[i] = mean;
  v[i] = square;
  let largest = max(top[i], square);
  top[i] = largest;
  return h.keep * x - h.stepSize * mean / (sqrt(largest) * h.scale + h.eps);
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = group.x + group.y * groups.x;
  let slot = u32(at >= params.start.y);
  let first = (at - params.start[slot]) * WG * VECTORS + lane;
  let end = min(first - lane + WG * VECTORS, params.n[slot]);
  let state = params.state[slot];
  let h = hyper;
  if (slot == 0u) {
    for (var i = first; i < end; i += WG) { p0[i] = advance(h, p0[i], g0[i], state + i); }
  } else {
    for (var i = first; i < end; i += WG) { p1[i] = advance(h, p1[i], g1[i], state + i); }
  }
}
