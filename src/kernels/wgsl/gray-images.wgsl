// y[n, c, i] = (g - mean[c]) * inv_std[c], g the gray value of pixel i (ITU-R 601-2) where u[n] < probability, else
// x[n, c, i]. x and y have one or three channels; without `u` all turn gray. An invocation takes every `stride`-th pixel of an image.
// Traffic: three loads a pixel, a store an element.
import package::lib::normalized;
const WG = 64u;
const has_u = true;

struct Params {
  plane: u32, in_channels: u32, channels: u32, stride: u32, columns: u32, column: u32, probability: f32,
  gray: vec4f, mean: vec4f, inv_std: vec4f,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> u: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let base = id.y * p.in_channels * p.plane;
  var turned = true;
  if (has_u) { turned = u[id.y * p.columns + p.column] < p.probability; }
  for (var i = id.x; i < p.plane; i += p.stride) {
    var v = vec3f(x[base + i]);
    if (p.in_channels == 3u) {
      v = vec3f(v.x, x[base + p.plane + i], x[base + 2u * p.plane + i]);
      if (turned) { v = vec3f(dot(v, p.gray.xyz)); }
    }
    for (var c = 0u; c < p.channels; c++) {
      y[(id.y * p.channels + c) * p.plane + i] = normalized(v[c], c);
    }
  }
}
