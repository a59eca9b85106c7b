// Tensors [N, C, P] channel by channel, V at a time. A workgroup takes WG / lanes channels, `lanes` invocations each;
// an invocation walks its channel in steps of `lanes`. Workgroups along y share a channel. The kernel's Params have (see channel-plan.ts): channels; plane, P / WIDTH; count, N * P / WIDTH;
// chunk, of count, what a workgroup takes; chunks; lanes, a power of two, and log_lanes; step_at, what a step means in
// memory, and carry, what it means besides where it leads into the next image; step_in, within a plane.
const WG = 64u;
alias V = f32;
const WIDTH = 1u;

// An element of a channel: its number, where it stands in memory, and within its plane.
struct Place { e: u32, at: u32, within: u32 }

// What an invocation has of channel c: `first`, and then next(first) and so on before element `end`.
struct Share { c: u32, lane: u32, first: Place, end: u32 }

fn share(group: vec3u, i: u32) -> Share {
  let lane = i & (p.lanes - 1u);
  let c = (group.x * WG + i) >> p.log_lanes;
  let e = group.y * p.chunk + lane;
  let image = e / p.plane;
  let within = e - image * p.plane;
  // Channels past the last have no elements, but take part in barriers.
  let end = select(0u, min((group.y + 1u) * p.chunk, p.count), c < p.channels);
  return Share(c, lane, Place(e, (image * p.channels + c) * p.plane + within, within), end);
}

fn next(k: Place) -> Place {
  let within = k.within + p.step_in;
  let passed = within >= p.plane;
  return Place(
    k.e + p.lanes,
    k.at + p.step_at + select(0u, p.carry, passed),
    within - select(0u, p.plane, passed),
  );
}

// An invocation sums up so many steps before it adds them to the others: one long row of additions would lose digits.
const BLOCK = 64u;
fn block_end(k: Place, end: u32) -> u32 { return min(end, k.e + BLOCK * p.lanes); }

// The sum of a vector.
fn total(v: V) -> f32 { return v; }
