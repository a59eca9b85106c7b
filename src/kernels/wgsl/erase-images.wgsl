// y = x with a random rectangle of each image, with probability p.probability, set to `value` or to `noise`; then (y - mean) *
// inv_std. Takes 23 random numbers an image. An invocation takes every `stride`-th pixel, all channels. Traffic: a load and a
// store an element.
import package::lib::normalized;
import package::lib::pixels;
import package::lib::random_window;
const WG = 64u;
const has_noise = true;

struct Params {
  channels: u32, height: u32, width: u32, stride: u32, stride_y: u32, stride_x: u32, columns: u32, column: u32,
  probability: f32, area: vec2f, ratio: vec2f,
  mean: vec4f, inv_std: vec4f, value: vec4f,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> u: array<f32>;
@group(0) @binding(2) var<storage, read> noise: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> p: Params;

var<private> erased: vec4u;

fn each(n: u32, i: u32, row: u32, column: u32) {
  let place = vec2u(row, column) - erased.xy;
  // What lies before the rectangle wraps to huge numbers.
  let inside = all(place < erased.zw);
  for (var c = 0u; c < p.channels; c++) {
    let at = (n * p.channels + c) * p.height * p.width + i;
    var v = x[at];
    if (inside) {
      v = p.value[min(c, 3u)];
      if (has_noise) { v = noise[at]; }
    }
    y[at] = normalized(v, c);
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let at = id.y * p.columns + p.column;
  let size = vec2u(p.height, p.width);
  erased = vec4u();
  if (u[at] < p.probability) { erased = random_window(at + 1u, size, size - 1u, 0u, p.area, p.ratio); }
  walk_pixels(id.y, id.x);
}
