// One element an invocation: calls the kernel's `each(i)` for every i < p.n, on the grid that `grid1d(n, WG)` gives.
const WG = 64u;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WG;
  if (i < p.n) { each(i); }
}
