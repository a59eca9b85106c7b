// What `lanes` neighbouring invocations of a workgroup of WG hold, joined in a tree in workgroup memory; each gets the result.
// `lanes` is a power of two, the same for the whole workgroup, and all its invocations must come here together.
// The kernel declares WG, `alias Part` and `fn join(a: Part, b: Part) -> Part`.
var<workgroup> parts: array<Part, WG>;

fn tree(part: Part, i: u32, lanes: u32) -> Part {
  if (lanes == 1u) { return part; }
  let lane = i & (lanes - 1u);
  parts[i] = part;
  workgroupBarrier();
  for (var half = lanes / 2u; half > 0u; half /= 2u) {
    if (lane < half) { parts[i] = join(parts[i], parts[i + half]); }
    workgroupBarrier();
  }
  let result = parts[i - lane];
  workgroupBarrier();
  return result;
}
