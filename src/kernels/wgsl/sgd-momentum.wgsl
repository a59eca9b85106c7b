// d = g + weightDecay * p; b = momentum * b + mix * d; p -= lr * (direct * d + damped * b), for up to three parameters in
// one launch; a workgroup works on one of them. mix is 1 at a parameter's first step and 1 - dampening later; (direct,
// damped) is (1, momentum) for Nesterov, else (0, 1). What may change from step to step is in `hyper`.
// Traffic: 3n loads, 2n stores.
const WG = 64u;
// Vectors of four an invocation; a parameter's last one may reach into the padding behind it.
const VECTORS = 8u;

// Of each parameter: its vectors, where its state starts (in vectors), and its first workgroup.
struct Params { n: vec3u, state: vec3u, start: vec3u }
struct Hyper { lr: f32, weightDecay: f32, momentum: f32, mix: f32, direct: f32, damped: f32 }
@group(0) @binding(0) var<uniform> hyper: Hyper;
@group(0) @binding(1) var<storage, read> g0: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> p0: array<vec4f>;
@group(0) @binding(3) var<storage, read> g1: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> p1: array<vec4f>;
@group(0) @binding(5) var<storage, read> g2: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> p2: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> b: array<vec4f>;
@group(0) @binding(8) var<uniform> params: Params;

fn advance(h: Hyper, x: vec4f, g: vec4f, i: u32) -> vec4f {
  let d = h.weightDecay * x + g;
  let velocity = h.momentum * b[i] + h.mix * d;
  b[i] = velocity;
  return x - h.lr * (h.direct * d + h.damped * velocity);
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = group.x + group.y * groups.x;
  let slot = u32(at >= params.start.y) + u32(at >= params.start.z);
  let first = (at - params.start[slot]) * WG * VECTORS + lane;
  let end = min(first - lane + WG * VECTORS, params.n[slot]);
  let state = params.state[slot];
  let h = hyper;
  if (slot == 0u) {
    for (var i = first; i < end; i += WG) { p0[i] = advance(h, p0[i], g0[i], state + i); }
  } else if (slot == 1u) {
    for (var i = first; i < end; i += WG) { p1[i] = advance(h, p1[i], g1[i], state + i); }
  } else {
    for (var i = first; i < end; i += WG) { p2[i] = advance(h, p2[i], g2[i], state + i); }
  }
}
