// The gradient of attention's scores, in place of that of its probabilities: with d = dp * drop, dp = scale y (d - sum of d y) along
// each row (lib/attention.wgsl). `dmask` gets the same without scale, rows of `length`; `dropped` is y * drop again.
// Traffic: 4n loads (two of them from the cache; 2n more for drop), n stores and those of `dmask` and `dropped`.
import package::lib::attention;
import package::lib::tree;
alias Part = f32;
const has_drop = true;
const has_dropped = true;
const has_dmask = true;

@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read_write> dp: array<f32>;
@group(0) @binding(2) var<storage, read> drop: array<f32>;
@group(0) @binding(3) var<storage, read_write> dropped: array<f32>;
@group(0) @binding(4) var<storage, read_write> dmask: array<f32>;
@group(0) @binding(5) var<uniform> p: Params;

fn join(a: Part, b: Part) -> Part { return a + b; }

fn each_row(given: Row, i: u32) {
  let place = place_of(given);
  let row = place.row;
  let end = row.base + p.length;
  var own = 0.0;
  for (var at = row.begin; at < row.end; at += row.step) {
    var d = dp[at];
    if (has_drop) {
      let kept = drop[place.whole + at - row.base];
      d *= kept;
      dp[at] = d;
      if (has_dropped) { dropped[at] = y[at] * kept; }
    }
    own += d * y[at];
  }
  let sum = tree(own, i, p.lanes);
  for (var at = row.begin; at < place.behind; at += row.step) {
    let seen = at < row.end;
    let d = select(0.0, y[at] * (dp[at] - sum), seen);
    dp[at] = d * p.scale;
    if (has_drop && has_dropped) { if (!seen) { dropped[at] = 0.0; } }
    if (has_dmask) { if (at < end) { dmask[place.whole + at - row.base] = d; } }
  }
}
