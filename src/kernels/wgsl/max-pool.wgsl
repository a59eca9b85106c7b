// y[o] = max over the window of o, and where in the plane it was found (the first of equals, but the last NaN, as PyTorch has it), per [H, W] plane.
// An invocation takes several outputs. Traffic: kernel area loads and two stores an output.
import package::lib::nan;
import package::lib::planes;

struct Params {
  // The walk over outputs; `turns`: the kernel.
  positions: u32, per: u32, step: vec3u, span: vec2u, turns: vec2u,
  // Of the input plane, rows then columns, as all pairs here.
  size: vec2u,
  stride: vec2u, pad: vec2u, dilation: vec2u,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> found: array<u32>;
@group(0) @binding(3) var<uniform> p: Params;

fn each(o: u32, plane: u32, row: u32, column: u32) {
  // Rows and columns before the input wrap around to large numbers: one comparison tells inside from outside.
  let top = row * p.stride.x - p.pad.x;
  let left = column * p.stride.y - p.pad.y;
  let base = plane * p.size.x * p.size.y;
  var best = from_bits(0xff800000u);
  var at = 0xffffffffu;
  var h = top;
  for (var kh = 0u; kh < rows(); kh++) {
    let line = h * p.size.y;
    var w = left;
    for (var kw = 0u; kw < columns(); kw++) {
      let v = x[base + line + w];
      if (h < p.size.x && w < p.size.y && (v > best || at == 0xffffffffu || is_nan(v))) {
        best = v;
        at = line + w;
      }
      w += p.dilation.y;
    }
    h += p.dilation.x;
  }
  y[o] = best;
  found[o] = at;
}
