// d = g + weightDecay * p; b = momentum * b + mix * d; p -= lr * (direct * d + damped * b), n elements. mix is 1 at a
// parameter's first step and 1 - dampening later; (direct, damped) is (1, momentum) for Nesterov, else (0, 1).
// What may change from step to step is in `hyper`. Traffic: 3n loads, 2n stores.
const WG = 64u;
// Vectors of four an invocation; the last one may reach past n into the padding of its buffer.
const VECTORS = 8u;

struct Params { n: u32 }
struct Hyper { lr: f32, weightDecay: f32, momentum: f32, mix: f32, direct: f32, damped: f32 }
@group(0) @binding(0) var<storage, read> hyper: Hyper;
@group(0) @binding(1) var<storage, read> g: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> p: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> b: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

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
    let d = h.weightDecay * x + g[i];
    let velocity = h.momentum * b[i] + h.mix * d;
    b[i] = velocity;
    p[i] = x - h.lr * (h.direct * d + h.damped * velocity);
  }
}
