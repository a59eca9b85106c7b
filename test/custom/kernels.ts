// Kernels as users write them, for the tests of kernel() and defineOp().
import { kernel } from "wgrad";

/** y = x * sigmoid(beta x + bias[c]) of rows of C elements, in two kernels that share their shape. */
export const swish = kernel(
  "swish",
  `
  // y[i] = x[i] * sigmoid(beta * x[i] + bias[i % c]), i < n.
  // One element an invocation; var<storage> a: array<f32>; in a comment declares nothing, nor does struct Params { no: u32 }.
  const WG = 64u;
  const has_bias = true;

  struct Params {
    n: u32, // elements
    c: u32, /* elements in a row */
    beta: f32,
    // Of the result.
    scale: vec2<f32>,
    shape: array<vec4<u32>, 2>,
    last: array<vec4u, 1>,
  }

  @group(0) @binding(0) var<storage, read> x : array<f32>;
  @group(0) @binding(1) var<storage, read> bias: array<f32>;
  @group(0) @binding(2) var<storage, read_write>   y: array<f32>;
  @group(0) @binding(3) var<uniform> p: Params;

  var<workgroup> tile: array<f32, WG>;
  var<private> count: u32;

  fn sigmoid(x: f32) -> f32 { return 1.0 / (1.0 + exp(-x)); }

  @compute @workgroup_size(WG)
  fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = id.x + id.y * groups.x * WG;
    if (i >= p.n) { return; }
    var t = p.beta * x[i];
    if (has_bias) { t += bias[i % p.c]; }
    let s: f32 = sigmoid(t);
    y[i] = x[i] * s * p.scale.x + p.scale.y * f32(p.shape[1].z + p.last[0].w);
  }`,
);

export const swishBackward = kernel(
  "swish_backward",
  `
  const has_bias = true;
  struct Params { n: u32, c: u32, beta: f32 }
  @group(0) @binding(0) var<storage, read> x: array<f32>;
  @group(0) @binding(1) var<storage, read> bias: array<f32>;
  @group(0) @binding(2) var<storage, read> dy: array<f32>;
  @group(0) @binding(3) var<storage, read_write> dx: array<f32>;
  @group(0) @binding(4) var<storage, read_write> dt: array<f32>;
  @group(0) @binding(5) var<uniform> p: Params;
  @compute @workgroup_size(64)
  fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= p.n) { return; }
    var t = p.beta * x[i];
    if (has_bias) { t += bias[i % p.c]; }
    let s = 1.0 / (1.0 + exp(-t));
    let slope = x[i] * s * (1.0 - s);
    dx[i] = dy[i] * (s + p.beta * slope);
    dt[i] = dy[i] * slope;
  }`,
);
