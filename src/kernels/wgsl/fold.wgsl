// y[n, c, h, w] = sum of x[n, c, kh, kw, oh, ow] over the windows (oh, ow) and their elements (kh, kw) that lie at (h, w): col2im,
// the adjoint of unfold.wgsl. Gathers. i counts all elements of y, i < n. Traffic: a load a window that covers the element,
// n stores.
import package::lib::each;

struct Params {
  n: u32,
  // Rows and columns of images, and how many windows there are down and across.
  size: vec2u, out: vec2u,
  kernel: vec2u, stride: vec2u, pad: vec2u, dilation: vec2u,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

fn each(i: u32) {
  let line = i / p.size.y;
  let w = i - line * p.size.y;
  let plane = line / p.size.x;
  let h = line - plane * p.size.x;
  var sum = 0.0;
  for (var kh = 0u; kh < p.kernel.x; kh++) {
    // Before the first window it wraps around to large numbers.
    let down = h + p.pad.x - kh * p.dilation.x;
    let oh = down / p.stride.x;
    if (oh >= p.out.x || oh * p.stride.x != down) { continue; }
    for (var kw = 0u; kw < p.kernel.y; kw++) {
      let across = w + p.pad.y - kw * p.dilation.y;
      let ow = across / p.stride.y;
      if (ow >= p.out.y || ow * p.stride.y != across) { continue; }
      sum += x[(((plane * p.kernel.x + kh) * p.kernel.y + kw) * p.out.x + oh) * p.out.y + ow];
    }
  }
  y[i] = sum;
}
