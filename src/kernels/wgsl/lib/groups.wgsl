// Workgroup after workgroup along the grid that `grid1d(count, 1)` gives: calls the kernel's `group(index, i)`, i < WG,
// and some with an index beyond the last. The kernel, or another of its parts, declares WG.
@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) at: vec3u,
  @builtin(num_workgroups) size: vec3u,
  @builtin(local_invocation_index) i: u32,
) {
  group(at.x + at.y * size.x, i);
}
