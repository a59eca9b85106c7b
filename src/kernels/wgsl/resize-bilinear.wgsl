// y[n, c, i, j] = (bilinear(x[n, c], s(i), s(j)) - mean[c]) * inv_std[c], s(i) = max((i + 0.5) * in / out - 0.5, 0):
// PyTorch's interpolate with mode "bilinear", align_corners false, antialias false.
// An invocation takes every `stride`-th pixel of an image, all channels. Traffic: four loads and a store an element.
const WG = 64u;

struct Params {
  channels: u32, height: u32, width: u32, in_height: u32, in_width: u32, stride: u32, stride_y: u32, stride_x: u32,
  scale_y: f32, scale_x: f32,
  mean: vec4f, inv_std: vec4f,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let plane = p.height * p.width;
  let in_plane = p.in_height * p.in_width;
  let from_base = id.y * p.channels * in_plane;
  let to_base = id.y * p.channels * plane;
  var row = id.x / p.width;
  var column = id.x - row * p.width;
  for (var i = id.x; i < plane; i += p.stride) {
    let s = max((vec2f(vec2u(row, column)) + 0.5) * vec2f(p.scale_y, p.scale_x) - 0.5, vec2f());
    let top = min(u32(s.x), p.in_height - 1u);
    let left = min(u32(s.y), p.in_width - 1u);
    let f = s - vec2f(vec2u(top, left));
    let down = select(0u, p.in_width, top + 1u < p.in_height);
    let right = select(0u, 1u, left + 1u < p.in_width);
    var at = from_base + top * p.in_width + left;
    for (var c = 0u; c < p.channels; c++) {
      let upper = mix(x[at], x[at + right], f.y);
      let lower = mix(x[at + down], x[at + down + right], f.y);
      // Statistics are given for four channels at most; beyond, all are 0 and 1.
      let k = min(c, 3u);
      y[to_base + c * plane + i] = (mix(upper, lower, f.x) - p.mean[k]) * p.inv_std[k];
      at += in_plane;
    }
    row += p.stride_y;
    column += p.stride_x;
    if (column >= p.width) {
      column -= p.width;
      row++;
    }
  }
}
