// One axis of a Gaussian blur: y[i] = (sum over k of w[k] x[i + k - half] - mean[c]) * inv_std[c], w[k] proportional to
// exp(-(k - half)^2 / (2 sigma^2)), sigma random for each image; the picture is mirrored at its edges, which are not repeated.
// An invocation computes its image's weights' sum and takes every `stride`-th pixel, all channels. Traffic: k loads, a store.
import package::lib::normalized;
import package::lib::pixels;
const WG = 64u;
const MOST = 64u;

struct Params {
  channels: u32, height: u32, width: u32, stride: u32, stride_y: u32, stride_x: u32, columns: u32, column: u32,
  axis: u32, half: u32, sigma: vec2f,
  mean: vec4f, inv_std: vec4f,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> u: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

// By distance from the middle.
var<workgroup> weights: array<f32, MOST>;

fn each(n: u32, i: u32, row: u32, column: u32) {
  let along = p.axis == 1u;
  let place = i32(select(row, column, along));
  let last = i32(select(p.height, p.width, along)) - 1;
  let step = select(p.width, 1u, along);
  let start = select(column, row * p.width, along);
  for (var c = 0u; c < p.channels; c++) {
    let base = (n * p.channels + c) * p.height * p.width;
    var sum = 0.0;
    for (var k = -i32(p.half); k <= i32(p.half); k++) {
      let at = last - abs(last - abs(place + k));
      sum += weights[u32(abs(k))] * x[base + start + u32(at) * step];
    }
    y[base + i] = normalized(sum, c);
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32) {
  let sigma = p.sigma.x + u[id.y * p.columns + p.column] * p.sigma.y;
  var sum = 1.0;
  for (var k = 1u; k <= p.half; k++) { sum += 2.0 * exp(-0.5 * pow(f32(k) / sigma, 2.0)); }
  if (local <= p.half) { weights[local] = exp(-0.5 * pow(f32(local) / sigma, 2.0)) / sum; }
  workgroupBarrier();
  walk_pixels(id.y, id.x);
}
