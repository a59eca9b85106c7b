// y[n, c, q] = (x[n, c, A q + b] - mean[c]) * inv_std[c], a random affine map for each image, `fill` outside: the nearest
// pixel, or bilinear between four. Each invocation computes its image's map and takes every `stride`-th pixel, all channels.
// Traffic: one load or four, and a store an element.
import package::lib::normalized;
import package::lib::pixels;
import package::lib::affine;
const WG = 64u;

struct Params {
  channels: u32, height: u32, width: u32, stride: u32, stride_y: u32, stride_x: u32, columns: u32, column: u32,
  bilinear: u32,
  // Radians: low and span. translate: the greatest shift, as a share of width and height. scale: low and span.
  angle: vec2f, translate: vec2f, scale: vec2f, shear_x: vec2f, shear_y: vec2f,
  // Relative to the picture's centre, x first.
  centre: vec2f,
  mean: vec4f, inv_std: vec4f, fill: vec4f,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> u: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

var<private> map: Map;
var<private> image: u32;

fn pixel(c: u32, row: u32, column: u32) -> f32 {
  return x[((image * p.channels + c) * p.height + row) * p.width + column];
}

fn each(n: u32, i: u32, row: u32, column: u32) {
  let size = vec2u(p.height, p.width);
  for (var c = 0u; c < p.channels; c++) {
    let v = sample(map, c, row, column, size, p.bilinear != 0u, true, p.fill[min(c, 3u)]);
    y[(n * p.channels + c) * p.height * p.width + i] = normalized(v, c);
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u) {
  image = id.y;
  let at = id.y * p.columns + p.column;
  let shift = round((2.0 * vec2f(u[at + 1u], u[at + 2u]) - 1.0) * p.translate * vec2f(vec2u(p.width, p.height)));
  let shear = vec2f(p.shear_x.x + u[at + 4u] * p.shear_x.y, p.shear_y.x + u[at + 5u] * p.shear_y.y);
  let scale = p.scale.x + u[at + 3u] * p.scale.y;
  map = inverse_affine(p.angle.x + u[at] * p.angle.y, shear, scale, shift, p.centre);
  walk_pixels(id.y, id.x);
}
