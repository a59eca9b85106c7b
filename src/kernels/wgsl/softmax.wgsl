// y = exp(x - m) / s, or its logarithm x - m - log s, along rows of `length` elements `inner` apart; m is the row's
// maximum and s the sum of exp(x - m), so nothing overflows. `lanes` invocations share a row, a workgroup takes
// WG / lanes rows `rounds` times. Traffic: 3n loads (two of them from the cache), n stores.
import package::lib::nan;
import package::lib::rows;
import package::lib::exponentials;
import package::lib::tree;
alias Part = vec2f;
const LOG = false;

struct Params { rows: u32, length: u32, lanes: u32, log_lanes: u32, rounds: u32, inner: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

fn join(a: Part, b: Part) -> Part { return together(a, b); }

fn each_row(row: Row, i: u32) {
  let whole = tree(exponentials(row), i, p.lanes);
  let log_s = log_nan(whole.y);
  for (var at = row.begin; at < row.end; at += row.step) {
    if (LOG) { y[at] = x[at] - whole.x - log_s; } else { y[at] = exp_nan(x[at] - whole.x) / whole.y; }
  }
}
