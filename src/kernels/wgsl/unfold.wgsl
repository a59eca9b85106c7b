// y[n, c, kh, kw, oh, ow] = x[n, c, oh stride + kh dilation - pad, ow stride + kw dilation - pad], 0 outside: im2col.
// An invocation takes several windows. Traffic: at most one load and one store an element of a window.
import package::lib::planes;

struct Params {
  // The walk over windows of each plane; `turns`: the kernel.
  positions: u32, per: u32, step: vec3u, span: vec2u, turns: vec2u,
  // Rows and columns of the images.
  size: vec2u,
  stride: vec2u, pad: vec2u, dilation: vec2u,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

fn each(o: u32, plane: u32, row: u32, column: u32) {
  let windows = p.span.x * p.span.y;
  var at = plane * rows() * columns() * windows + row * p.span.y + column;
  // Before the image they wrap around to large numbers.
  var h = row * p.stride.x - p.pad.x;
  for (var kh = 0u; kh < rows(); kh++) {
    let line = (plane * p.size.x + h) * p.size.y;
    var w = column * p.stride.y - p.pad.y;
    for (var kw = 0u; kw < columns(); kw++) {
      var v = 0.0;
      if (h < p.size.x && w < p.size.y) { v = x[line + w]; }
      y[at] = v;
      at += windows;
      w += p.dilation.y;
    }
    h += p.dilation.x;
  }
}
