// y[n, c, h, w] = sum of x[n, c, kh, kw, oh, ow] over the windows (oh, ow) and their elements (kh, kw) that lie at (h, w): col2im,
// the adjoint of unfold.wgsl. Gathers. An invocation takes several elements. Traffic: a load a window that covers the element, one
// store.
import package::lib::planes;

struct Params {
  // The walk over elements of each plane; `turns`: the kernel.
  positions: u32, per: u32, step: vec3u, span: vec2u, turns: vec2u,
  // How many windows there are down and across.
  out: vec2u,
  stride: vec2u, pad: vec2u, dilation: vec2u,
  per_stride: vec2f,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

// The window that starts `at` elements behind the first one's start, else one that is not there. Divides by way of floats, which
// are right wherever the division has no rest.
fn window_at(at: u32, axis: u32) -> u32 {
  let o = u32(f32(i32(at)) * p.per_stride[axis] + 0.5);
  return select(0xffffffffu, o, o * p.stride[axis] == at);
}

fn each(o: u32, plane: u32, row: u32, column: u32) {
  var sum = 0.0;
  for (var kh = 0u; kh < rows(); kh++) {
    // Before the first window it is a large number.
    let oh = window_at(row + p.pad.x - kh * p.dilation.x, 0u);
    for (var kw = 0u; kw < columns(); kw++) {
      let ow = window_at(column + p.pad.y - kw * p.dilation.y, 1u);
      if (oh < p.out.x && ow < p.out.y) {
        sum += x[(((plane * rows() + kh) * columns() + kw) * p.out.x + oh) * p.out.y + ow];
      }
    }
  }
  y[o] = sum;
}
