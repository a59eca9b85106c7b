// y[i] = f(x[i]), i < n. PER vectors of four elements an invocation, WG apart; the last one may reach past n into the
// padding of its buffers. Traffic: n loads, n stores, in vectors: a software adapter charges half for those.
alias T = f32;
const WG = 64u;
// Several spread the cost of starting invocations on a software adapter; neighbours stay neighbours in memory.
const PER = 4u;

struct Params { n: u32, a: f32, b: f32 }
@group(0) @binding(0) var<storage, read> x: array<vec4<T>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<T>>;
@group(0) @binding(2) var<uniform> p: Params;

fn f(x: T) -> T { return x; }

@compute @workgroup_size(WG)
fn main(
  @builtin(local_invocation_index) local: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let first = (group.x + group.y * groups.x) * WG * PER + local;
  for (var k = 0u; k < PER; k++) {
    let i = first + k * WG;
    if (i * 4u < p.n) {
      let s = x[i];
      y[i] = vec4<T>(f(s.x), f(s.y), f(s.z), f(s.w));
    }
  }
}
