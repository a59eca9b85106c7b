// Rows of a tensor [outer, length, inner] along its middle dimension. `lanes` neighbouring invocations of a workgroup,
// a power of two, share a row; together they take WG / lanes rows a round. The kernel's Params have rows, length,
// lanes, log_lanes and inner (see row-plan.ts).
const WG = 64u;

// The elements of an invocation stand at begin, begin + step and so on before `end`; past the last row there are none.
struct Row { index: u32, lane: u32, base: u32, begin: u32, end: u32, step: u32 }

fn row_of(round: u32, i: u32) -> Row {
  let index = (round * WG + i) >> p.log_lanes;
  let lane = i & (p.lanes - 1u);
  let outer = index / p.inner;
  let base = outer * p.length * p.inner + index - outer * p.inner;
  let end = select(0u, base + p.length * p.inner, index < p.rows);
  return Row(index, lane, base, base + lane * p.inner, end, p.lanes * p.inner);
}
