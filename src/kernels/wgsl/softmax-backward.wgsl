// Softmax: dx = y (dy - sum dy y). Log-softmax: dx = dy - exp(y) sum dy. Rows as in softmax.wgsl.
// Traffic: 4n loads (two of them from the cache; 3n for the logarithm), n stores.
import package::lib::nan;
import package::lib::rows;
import package::lib::tree;
alias Part = f32;
const LOG = false;

struct Params { rows: u32, length: u32, lanes: u32, log_lanes: u32, rounds: u32, inner: u32 }
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

fn join(a: Part, b: Part) -> Part { return a + b; }

fn each_row(row: Row, i: u32) {
  var own = 0.0;
  for (var at = row.begin; at < row.end; at += row.step) {
    if (LOG) { own += dy[at]; } else { own += dy[at] * y[at]; }
  }
  let sum = tree(own, i, p.lanes);
  for (var at = row.begin; at < row.end; at += row.step) {
    if (LOG) { dx[at] = dy[at] - exp_nan(y[at]) * sum; } else { dx[at] = y[at] * (dy[at] - sum); }
  }
}
