// y[n, c, kh, kw, oh, ow] = x[n, c, oh stride + kh dilation - pad, ow stride + kw dilation - pad], 0 outside: im2col.
// i counts all elements of y, i < n. Traffic: at most n loads, n stores.
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
  let line = i / p.out.y;
  let ow = i - line * p.out.y;
  let taps = line / p.out.x;
  let oh = line - taps * p.out.x;
  let lines = taps / p.kernel.y;
  let kw = taps - lines * p.kernel.y;
  let plane = lines / p.kernel.x;
  let kh = lines - plane * p.kernel.x;
  // Before the image they wrap around to large numbers.
  let h = oh * p.stride.x + kh * p.dilation.x - p.pad.x;
  let w = ow * p.stride.y + kw * p.dilation.y - p.pad.y;
  var v = 0.0;
  if (h < p.size.x && w < p.size.y) { v = x[(plane * p.size.x + h) * p.size.y + w]; }
  y[i] = v;
}
