// PER elements an invocation: calls the kernel's `each(i)` for every i < p.n, on the grid that `grid1d(n, WG * PER)` gives.
// Several spread the cost of starting invocations on a software adapter; neighbours stay neighbours in memory.
const WG = 64u;
const PER = 4u;

@compute @workgroup_size(WG)
fn main(
  @builtin(local_invocation_index) local: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let first = (group.x + group.y * groups.x) * WG * PER + local;
  for (var k = 0u; k < PER; k++) {
    let i = first + k * WG;
    if (i < p.n) { each(i); }
  }
}
