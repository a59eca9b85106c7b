// Where in its image a point of a sampling grid lies, columns first (PyTorch's grid_sample). The kernel's Params has `size`, rows and
// columns of the images, and `align`: -1 and 1 are the centres of the first and last pixels (otherwise the image's edges), and
// `beyond`, what lies outside: 0 zeros, 1 the edge's pixels, 2 the mirror image.
import package::lib::nan;

// A coordinate in pixels, and its derivative.
fn place(coordinate: f32, size: u32) -> vec2f {
  let n = f32(size);
  var at = vec2f(((coordinate + 1.0) * n - 1.0) * 0.5, n * 0.5);
  let aligned = p.align != 0u;
  if (aligned) { at = vec2f((coordinate + 1.0) * 0.5 * (n - 1.0), (n - 1.0) * 0.5); }
  if (is_nan(coordinate)) { at = vec2f(-100.0, 0.0); }
  if (p.beyond == 2u) {
    let low = select(-0.5, 0.0, aligned);
    let span = select(n, n - 1.0, aligned);
    if (span == 0.0) { return vec2f(); }
    let far = abs(at.x - low);
    let flips = floor(far / span);
    let rest = far - flips * span;
    let odd = flips - 2.0 * floor(flips * 0.5) != 0.0;
    let slope = select(at.y, -at.y, (at.x < low) != odd);
    at = vec2f(select(rest, span - rest, odd) + low, slope);
  }
  if (p.beyond != 0u) {
    if (at.x <= 0.0) { return vec2f(); }
    if (at.x >= n - 1.0) { return vec2f(n - 1.0, 0.0); }
  }
  // So that it fits an integer: farther away is outside, too.
  return vec2f(clamp(at.x, -100.0, n + 100.0), at.y);
}
