// What softmax needs of a row of x, which the kernel binds as array<f32>: its largest element m, and the sum s of exp(x
// - m), in which nothing overflows.
import package::lib::nan;
import package::lib::row;
const LEAST = -3.4028234e38;

// (m, s) of the elements that an invocation has of a row.
fn exponentials(row: Row) -> vec2f {
  var m = LEAST;
  for (var at = row.begin; at < row.end; at += row.step) { m = max(m, x[at]); }
  var s = 0.0;
  for (var at = row.begin; at < row.end; at += row.step) { s += exp_nan(x[at] - m); }
  return vec2f(m, s);
}

// (m, s) of two parts of a row together.
fn together(a: vec2f, b: vec2f) -> vec2f {
  let m = max(a.x, b.x);
  return vec2f(m, a.y * exp_nan(a.x - m) + b.y * exp_nan(b.x - m));
}
