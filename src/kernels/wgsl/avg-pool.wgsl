// y[o] = sum of x over the window of o, divided by the window's length in rows times its length in columns, per plane.
// The windows are those of average pooling with stride and padding, or those of adaptive pooling.
// An invocation takes several outputs. Traffic: window area loads and one store an output.
import package::lib::window;
import package::lib::planes;

struct Params {
  // The walk over outputs; `turns`: the largest window.
  positions: u32, per: u32, step: vec3u, span: vec2u, turns: vec2u,
  // Of the input plane, rows then columns, as all pairs here.
  size: vec2u, out: vec2u,
  stride: vec2u, pad: vec2u, reach: vec2u,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

fn each(o: u32, plane: u32, row: u32, column: u32) {
  let down = window(row, 0u);
  let across = window(column, 1u);
  var sum = 0.0;
  for (var kh = 0u; kh < rows(); kh++) {
    let h = down.x + kh;
    let line = (plane * p.size.x + h) * p.size.y;
    for (var kw = 0u; kw < columns(); kw++) {
      let w = across.x + kw;
      sum += select(0.0, x[line + w], h < down.y && w < across.y);
    }
  }
  y[o] = sum / f32(down.z * across.z);
}
