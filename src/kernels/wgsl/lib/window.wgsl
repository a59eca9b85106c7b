// Windows of average pooling along an axis: those with stride and padding, or, in the variant ADAPTIVE, those that divide
// p.size inputs among p.out outputs. The kernel's Params has size, out, stride, pad and reach (the window's length less 1).
const ADAPTIVE = false;
// Whether padding counts in the divisor.
const INCLUDE_PAD = true;

// floor(a / b) by way of floats, with one step of correction: integer division is slow where it is emulated.
fn divide(a: u32, b: u32) -> u32 {
  let q = u32(i32(f32(i32(a)) / f32(i32(b))));
  let rest = i32(a - q * b);
  return q + select(0u, 1u, rest >= i32(b)) - select(0u, 1u, rest < 0);
}

// Begin, end and length (for the divisor) of window o; adaptive, from floor(o size / out) to ceil((o + 1) size / out).
fn window(o: u32, axis: u32) -> vec3u {
  if (ADAPTIVE) {
    let first = divide(o * p.size[axis], p.out[axis]);
    let last = divide((o + 1u) * p.size[axis] + p.out[axis] - 1u, p.out[axis]);
    return vec3u(first, last, last - first);
  }
  let start = o * p.stride[axis];
  let stop = min(start + p.reach[axis] + 1u, p.size[axis] + 2u * p.pad[axis]);
  let begin = max(start, p.pad[axis]) - p.pad[axis];
  let end = min(stop - min(stop, p.pad[axis]), p.size[axis]);
  return vec3u(begin, end, select(end - begin, stop - start, INCLUDE_PAD));
}
