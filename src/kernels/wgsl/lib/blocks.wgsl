// Gradients of pooling, gathered: the walk of planes.wgsl over blocks of 2 x 2 inputs, whose four gradients share the windows
// that cover them (four for a 3 x 3 kernel with stride 2, where single inputs would look at nine in all).
// The kernel declares `dx`, `p` and `plus_windows(sums, i, row, line, across)`: the sums for the block at i, with what the
// windows from across.x to across.y add that stand in this row, which is `line` in dy; it takes columns() turns.
import package::lib::planes;
import package::lib::window;

struct Params {
  // The walk over blocks; `turns`: the windows that cover one.
  positions: u32, per: u32, step: vec3u, span: vec2u, turns: vec2u,
  // Of the input plane, rows then columns, as all pairs here.
  size: vec2u, out: vec2u,
  // reach: (kernel - 1) * dilation. per_stride: 1 / stride.
  stride: vec2u, pad: vec2u, reach: vec2u, per_stride: vec2f,
}

// The windows that cover input i or i + 1 along an axis, from ceil((i + pad - reach) / stride) to
// floor((i + 1 + pad) / stride): half an element keeps the rounded products away from whole numbers.
fn covering(i: u32, axis: u32) -> vec2u {
  if (ADAPTIVE) {
    let last = divide(min(i + 2u, p.size[axis]) * p.out[axis] + p.size[axis] - 1u, p.size[axis]);
    return vec2u(divide(i * p.out[axis], p.size[axis]), last);
  }
  let reached = f32(i + p.pad[axis]);
  let low = max(reached - f32(p.reach[axis]), 0.0) - 0.5;
  let begin = u32(i32(floor(low * p.per_stride[axis]) + 1.0));
  return vec2u(begin, min(u32(i32((reached + 1.5) * p.per_stride[axis])) + 1u, p.out[axis]));
}

fn each(_block: u32, plane: u32, block_row: u32, block_column: u32) {
  let i = vec2u(block_row, block_column) * 2u;
  let down = covering(i.x, 0u);
  let across = covering(i.y, 1u);
  var sums = vec4f();
  for (var k = 0u; k < rows(); k++) {
    let row = down.x + k;
    // Beyond the last row no column counts.
    let end = select(0u, across.y, row < down.y);
    sums = plus_windows(sums, i, row, (plane * p.out.x + row) * p.out.y, vec2u(across.x, end));
  }
  let to = (plane * p.size.x + i.x) * p.size.y + i.y;
  let right = i.y + 1u < p.size.y;
  dx[to] = sums.x;
  if (right) { dx[to + 1u] = sums.y; }
  if (i.x + 1u < p.size.x) {
    dx[to + p.size.y] = sums.z;
    if (right) { dx[to + p.size.y + 1u] = sums.w; }
  }
}
