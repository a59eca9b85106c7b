// values[r, s], indices[r, s]: the s-th best element of row r of x and its position, s < k; `before` says which of two is
// better (a total order, NaN included), and among equals the lower position is. Each of the k rounds looks for the best one after the previous.
// A team of LANES invocations takes a row and meets in workgroup memory. Traffic: rows * k * length loads.
import package::lib::groups;
import package::lib::nan;
import package::lib::tree;
alias T = f32;
const WG = 64u;
const LANES = 64u;
const NONE = 0xffffffffu;

struct Params { rows: u32, k: u32, length: u32, inner: u32 }
@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> values: array<T>;
@group(0) @binding(2) var<storage, read_write> indices: array<i32>;
@group(0) @binding(3) var<uniform> p: Params;

// An element and its position; NONE is no element, and comes last.
struct Part { value: T, index: u32 }

fn before(a: T, b: T) -> bool { return a > b; }

fn better(a: Part, b: Part) -> bool {
  let first = before(a.value, b.value) || (a.index < b.index && !before(b.value, a.value));
  return b.index == NONE || (a.index != NONE && first);
}

fn join(a: Part, b: Part) -> Part {
  if (better(b, a)) { return b; }
  return a;
}

fn group(index: u32, local: u32) {
  let team = index * (WG / LANES) + local / LANES;
  let lane = local % LANES;
  let live = team < p.rows;
  let length = select(0u, p.length, live);
  // Row r = (o, c) of a tensor [outer, length, inner].
  let o = team / p.inner;
  let c = team - o * p.inner;
  let base = o * p.length * p.inner + c;
  var last = Part(T(0), NONE);
  for (var s = 0u; s < p.k; s++) {
    var best = Part(T(0), NONE);
    for (var j = lane; j < length; j += LANES) {
      let here = Part(x[base + j * p.inner], j);
      let fresh = last.index == NONE || (j != last.index && better(last, here));
      if (fresh && better(here, best)) { best = here; }
    }
    last = tree(best, local, LANES);
    if (lane == 0u && live) {
      let at = (o * p.k + s) * p.inner + c;
      values[at] = last.value;
      indices[at] = i32(last.index);
    }
  }
}
