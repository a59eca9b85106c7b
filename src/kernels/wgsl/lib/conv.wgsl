// What the convolution kernels share, forward and input gradient alike, as implicit GEMM:
//   dest[n, row, i*div + phase] = end of sum over k, taps t of weight[row, k, t] * source[n, k, i*step + offset(t)]
//   with offset(t) = (phase + base + t*dil) / div, for the taps where that division leaves no rest.
// Forward: rows are output channels, step = stride, base = -padding, dil = dilation, div = 1.
// Input gradient: rows are input channels, source is dy, step = 1, base = padding, dil = -dilation, div = stride: each of
// the stride*stride phases of dx sees only the taps that reach it.
// `tap_step` and `off_step` lead from one tap that lands on the source's grid to the next: taps, and positions of the source.
// The end of a sum is lib/epilogue.wgsl's. The kernel declares `alias Value`, of which source and dest hold one a position, or
// a vector of neighbours.
struct Params {
  rows: u32, k: u32, batch: u32, images_first: u32,
  kernel: vec2u, source: vec2u, dest: vec2u, step: vec2i,
  base: vec2i, dil: vec2i, div: vec2i,
  source_channels: u32, dest_channels: u32,
  w_row: u32, w_k: u32, w_group: u32, eps: f32,
  tap_step: vec2u, off_step: vec2i, act: vec2f,
}
@group(0) @binding(0) var<storage, read> weight: array<f32>;
@group(0) @binding(1) var<storage, read> source: array<Value>;
@group(0) @binding(2) var<storage, read_write> dest: array<Value>;
@group(0) @binding(9) var<uniform> p: Params;
