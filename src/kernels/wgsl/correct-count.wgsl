// count = number of rows whose largest element (the first of equals) stands at the row's label: no element before it is
// as large, none after it larger, where NaN is larger than any number and as large as NaN. Rows of `length` elements `inner` apart; labels out of range never match. One
// workgroup takes all rows, WG / lanes at a time. Traffic: n loads and two a row and lane.
import package::lib::nan;
import package::lib::row;
import package::lib::tree;
alias Part = i32;

struct Params { rows: u32, length: u32, lanes: u32, log_lanes: u32, rounds: u32, inner: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
@group(0) @binding(2) var<storage, read_write> count: array<i32>;
@group(0) @binding(3) var<uniform> p: Params;

fn join(a: Part, b: Part) -> Part { return a + b; }

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) i: u32) {
  var correct = 0;
  for (var round = 0u; round < p.rounds; round++) {
    let row = row_of(round, i);
    // Negative labels wrap around to large ones.
    let label = bitcast<u32>(labels[min(row.index, p.rows - 1u)]);
    let known = row.index < p.rows && label < p.length;
    let best_at = row.base + min(label, p.length - 1u) * p.inner;
    let best = x[best_at];
    let end = select(0u, row.end, known);
    var larger = 0;
    for (var at = row.begin; at < end; at += row.step) {
      let v = x[at];
      let equal = v == best || (is_nan(v) && is_nan(best));
      if ((equal && at < best_at) || (!equal && !is_nan(best) && (v > best || is_nan(v)))) { larger++; }
    }
    larger = tree(larger, i, p.lanes);
    if (known && row.lane == 0u && larger == 0) { correct++; }
  }
  correct = tree(correct, i, WG);
  if (i == 0u) { count[0] = correct; }
}
