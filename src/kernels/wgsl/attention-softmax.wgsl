// Probabilities of attention, in place: x = softmax(scale x + mask) along each row (lib/attention.wgsl), and with dropout
// dropped = x * drop. A mask of integers leaves out where it is 0, one of floats is added. A row of which nothing is left is NaN.
// `lanes` invocations share a row. Traffic: 3n loads (two of them from the cache) and those of the masks, 2n stores.
import package::lib::attention;
import package::lib::exponentials;
import package::lib::nan;
import package::lib::tree;
alias Part = vec2f;
alias M = f32;
const has_mask = true;
const has_drop = true;
const has_dropped = true;

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read> mask: array<M>;
@group(0) @binding(2) var<storage, read> drop: array<f32>;
@group(0) @binding(3) var<storage, read_write> dropped: array<f32>;
@group(0) @binding(4) var<uniform> p: Params;

fn join(a: Part, b: Part) -> Part { return together(a, b); }

fn masked(v: f32, m: M) -> f32 { return v + m; }

fn each_row(given: Row, i: u32) {
  let place = place_of(given);
  let row = place.row;
  var m = LEAST;
  for (var at = row.begin; at < row.end; at += row.step) {
    var v = x[at] * p.scale;
    if (has_mask) { v = masked(v, mask[place.mask + (at - row.base) * p.mask_at.w]); }
    x[at] = v;
    m = max(m, v);
  }
  var s = 0.0;
  for (var at = row.begin; at < row.end; at += row.step) { s += exp_nan(x[at] - m); }
  let whole = tree(vec2f(m, s), i, p.lanes);
  for (var at = row.begin; at < place.behind; at += row.step) {
    let seen = at < row.end;
    var y = select(0.0, exp_nan(x[at] - whole.x) / whole.y, seen);
    x[at] = y;
    if (has_drop && has_dropped) {
      if (seen) { y *= drop[place.whole + at - row.base]; }
      dropped[at] = y;
    }
  }
}
