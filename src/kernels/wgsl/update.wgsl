// One optimizer step in one pass, for up to three parameters in one launch; a workgroup works on one of them. Formula and
// hyper-parameters are holes that src/optim/update-rule.ts fills; as it stands here: p -= lr * g. What may change from step to
// step is in `hyper`, so that a captured step can be replayed. Buffers beyond those of the first parameter are optional, and so
// is state, at most three buffers that hold it for all parameters of the launch: with p and g that makes at most eight.
// Traffic: 2n loads and n stores, and n of both for each state.
const WG = 64u;
// Vectors of four an invocation; a parameter's last one may reach into the padding behind it.
const VECTORS = 8u;
const has_g1 = true;
const has_p1 = true;
const has_g2 = true;
const has_p2 = true;
const has_s0 = true;
const has_s1 = true;
const has_s2 = true;

// Of each parameter: its vectors, where its state starts (in vectors), and its first workgroup.
struct Params { n: vec3u, state: vec3u, start: vec3u }
struct Hyper { lr: f32 }
@group(0) @binding(0) var<uniform> hyper: Hyper;
@group(0) @binding(1) var<storage, read> g0: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> p0: array<vec4f>;
@group(0) @binding(3) var<storage, read> g1: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> p1: array<vec4f>;
@group(0) @binding(5) var<storage, read> g2: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> p2: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> s0: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> s1: array<vec4f>;
@group(0) @binding(9) var<storage, read_write> s2: array<vec4f>;
@group(0) @binding(10) var<uniform> p: Params;

// A parameter after this step; its state is at i, and is stored here.
fn advance(h: Hyper, parameter: vec4f, gradient: vec4f, i: u32) -> vec4f { return parameter - h.lr * gradient; }

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = group.x + group.y * groups.x;
  var slot = 0u;
  if (has_p1) { slot += u32(at >= p.start.y); }
  if (has_p2) { slot += u32(at >= p.start.z); }
  let first = (at - p.start[slot]) * WG * VECTORS + lane;
  let end = min(first - lane + WG * VECTORS, p.n[slot]);
  let state = p.state[slot];
  let h = hyper;
  if (slot == 0u) {
    for (var i = first; i < end; i += WG) { p0[i] = advance(h, p0[i], g0[i], state + i); }
  } else if (has_p1 && slot == 1u) {
    for (var i = first; i < end; i += WG) { p1[i] = advance(h, p1[i], g1[i], state + i); }
  } else if (has_p2) {
    for (var i = first; i < end; i += WG) { p2[i] = advance(h, p2[i], g2[i], state + i); }
  }
}
