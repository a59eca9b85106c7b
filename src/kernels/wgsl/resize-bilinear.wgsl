// y[n, c, i, j] = (bilinear(x[n, c], s(i), s(j)) - mean[c]) * inv_std[c], s(i) = max((i + 0.5) * in / out - 0.5, 0):
// PyTorch's interpolate with mode "bilinear", align_corners false, antialias false.
// An invocation takes every `stride`-th pixel of an image, all channels. Traffic: four loads and a store an element.
import package::lib::normalized;
import package::lib::pixels;
const WG = 64u;

struct Params {
  channels: u32, height: u32, width: u32, in_height: u32, in_width: u32, stride: u32, stride_y: u32, stride_x: u32,
  scale_y: f32, scale_x: f32,
  mean: vec4f, inv_std: vec4f,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

fn each(n: u32, i: u32, row: u32, column: u32) {
  let plane = p.height * p.width;
  let in_plane = p.in_height * p.in_width;
  let s = max((vec2f(vec2u(row, column)) + 0.5) * vec2f(p.scale_y, p.scale_x) - 0.5, vec2f());
  let top = min(u32(s.x), p.in_height - 1u);
  let left = min(u32(s.y), p.in_width - 1u);
  let f = s - vec2f(vec2u(top, left));
  let down = select(0u, p.in_width, top + 1u < p.in_height);
  let right = select(0u, 1u, left + 1u < p.in_width);
  var at = n * p.channels * in_plane + top * p.in_width + left;
  for (var c = 0u; c < p.channels; c++) {
    let upper = mix(x[at], x[at + right], f.y);
    let lower = mix(x[at + down], x[at + down + right], f.y);
    y[(n * p.channels + c) * plane + i] = normalized(mix(upper, lower, f.x), c);
    at += in_plane;
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u) { walk_pixels(id.y, id.x); }
