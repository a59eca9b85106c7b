// Rows of attention's scores: `length` keys of each query, in memory rows of `pitch`. Rows count over batches, heads and queries;
// those at hand begin with row `first` of all.
import package::lib::rows;

struct Params {
  rows: u32, length: u32, lanes: u32, log_lanes: u32, rounds: u32, inner: u32,
  pitch: u32, queries: u32, heads: u32, first: u32, causal: u32, scale: f32,
  mask_at: vec4u, // strides by batch, head, query and key
  mask_batches: u32, // after so many batches the mask begins again
}

// A row as lib/row.wgsl has it, of the keys that its query may see; what stands behind them up to `behind` is 0.
struct Place { row: Row, behind: u32, mask: u32, whole: u32 }

fn place_of(given: Row) -> Place {
  let base = given.index * p.pitch;
  let all = given.index + p.first;
  let query = all % p.queries;
  let matrix = all / p.queries;
  let live = given.index < p.rows;
  let keys = select(p.length, min(p.length, query + 1u), p.causal != 0u);
  let row = Row(given.index, given.lane, base, base + given.lane, select(0u, base + keys, live), p.lanes);
  let mask = dot(vec3u(matrix / p.heads % p.mask_batches, matrix % p.heads, query), p.mask_at.xyz);
  return Place(row, select(0u, base + p.pitch, live), mask, all * p.length);
}
