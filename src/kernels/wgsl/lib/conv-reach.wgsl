// The positions of dy that the taps from t0 to t1 (row by row) can reach inside x: from `low` to `high`, rows and columns.
// For kernels with the parameters of lib/conv-weight.wgsl.
struct Reach { low: vec2i, high: vec2i }

// Where a tap looks, relative to o*stride.
fn looks(tap: vec2u) -> vec2i { return vec2i(tap) * p.dilation - p.padding; }

fn reach(t0: u32, t1: u32) -> Reach {
  let width = p.kernel.y;
  let one_row = t0 / width == t1 / width;
  let first = looks(vec2u(t0 / width, select(0u, t0 % width, one_row)));
  let last = looks(vec2u(t1 / width, select(width - 1u, t1 % width, one_row)));
  let span = vec2i(p.x_size) - 1 - first;
  let high = select(min(span / p.stride, vec2i(p.y_size) - 1), vec2i(-1), span < vec2i(0));
  return Reach(max((-last + p.stride - 1) / p.stride, vec2i(0)), high);
}

// Where the gradient of a tap of the live kernel goes.
fn place(split: u32, row: u32, channel: u32, tap: u32) -> u32 {
  let in_kernel = (tap / p.kernel.y + p.origin.x) * p.full.y + tap % p.kernel.y + p.origin.y;
  return split * p.size + (row * p.channels + channel) * p.full.x * p.full.y + in_kernel;
}
