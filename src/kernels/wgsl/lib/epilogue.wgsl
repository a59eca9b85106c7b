// The end of a sum before it is stored: y = activate(sum * scale + offset + residual), with scale and offset by channel: a bias,
// or batch norm by running statistics (mean, variance, weight `gamma` and bias). `pre` keeps what activate is given, for its
// gradient. What is not bound costs nothing.
// The kernel declares `alias Value` (f32, or a vector of neighbours), `fn activated(v: Value) -> Value`, which applies `activate`
// to each element, and in Params `eps` and the activation's numbers `act: vec2f`.
import package::lib::nan;
const has_bias = true;
const has_gamma = true;
const has_mean = true;
const has_variance = true;
const has_residual = true;
const has_pre = true;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> gamma: array<f32>;
@group(0) @binding(5) var<storage, read> mean: array<f32>;
@group(0) @binding(6) var<storage, read> variance: array<f32>;
@group(0) @binding(7) var<storage, read> residual: array<Value>;
@group(0) @binding(8) var<storage, read_write> pre: array<Value>;

fn activate(v: f32) -> f32 { return v; }

// Scale and offset of a channel.
fn affine(channel: u32) -> vec2f {
  var scale = 1.0;
  var offset = 0.0;
  if (has_bias) { offset = bias[channel]; }
  if (has_mean && has_variance) {
    scale = 1.0 / sqrt(variance[channel] + p.eps);
    if (has_gamma) { scale *= gamma[channel]; }
    offset -= mean[channel] * scale;
  }
  return vec2f(scale, offset);
}

fn finish(sum: Value, by: vec2f, at: u32) -> Value {
  var y = sum * by.x + by.y;
  if (has_residual) { y += residual[at]; }
  if (has_pre) { pre[at] = y; }
  return activated(y);
}
