// p -= lr * (g + weightDecay * p), n elements. What may change from step to step is in `hyper`, so that a captured step
// can be replayed. A workgroup takes WG * ELEMENTS neighbours, so that reading `hyper` costs little.
// Traffic: 2n loads, n stores.
const WG = 64u;
// Vectors of four an invocation; the last one may reach past n into the padding of its buffer.
const VECTORS = 8u;

struct Params { n: u32 }
struct Hyper { lr: f32, weightDecay: f32 }
@group(0) @binding(0) var<storage, read> hyper: Hyper;
@group(0) @binding(1) var<storage, read> g: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> p: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.x + group.y * groups.x) * WG * VECTORS;
  let end = min(first + WG * VECTORS, (params.n + 3u) / 4u);
  let lr = hyper.lr;
  let weightDecay = hyper.weightDecay;
  for (var i = first + lane; i < end; i += WG) {
    let x = p[i];
    p[i] = x - lr * (weightDecay * x + g[i]);
  }
}
