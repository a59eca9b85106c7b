// Moments of a sample: count, mean, and the sum of squared deviations from it. Each invocation sums around an element
// of its own, and the tree joins by Chan's rule, so that a mean far from 0 costs no precision. What tree.wgsl wants but
// WG is here.
import package::lib::nan;
import package::lib::tree;
alias Part = vec3f;

// Of n values, from the sums of x - shift and of its square.
fn moments(n: f32, shift: f32, sum: f32, squares: f32) -> Part {
  let mean = sum / max(n, 1.0);
  return vec3f(n, shift + mean, max_nan(squares - sum * mean, 0.0));
}

fn join(a: Part, b: Part) -> Part {
  let n = a.x + b.x;
  let d = b.y - a.y;
  let f = b.x / max(n, 1.0);
  return vec3f(n, a.y + d * f, a.z + b.z + d * d * a.x * f);
}
