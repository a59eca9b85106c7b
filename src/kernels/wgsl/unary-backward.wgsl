// dx[i] = dy[i] * df(s[i]), where s is the saved input or output. PER vectors of four elements an invocation, WG apart;
// the last one may reach past n into the padding of its buffers. Traffic: 2n loads, n stores, in vectors.
const WG = 64u;
// Several spread the cost of starting invocations on a software adapter; neighbours stay neighbours in memory.
const PER = 4u;

struct Params { n: u32, a: f32, b: f32 }
@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read> s: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4f>;
@group(0) @binding(3) var<uniform> p: Params;

fn df(x: f32) -> f32 { return 1.0; }

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
      let at = s[i];
      dx[i] = dy[i] * vec4f(df(at.x), df(at.y), df(at.z), df(at.w));
    }
  }
}
