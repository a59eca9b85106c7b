// What the kernels of a convolution's weight gradient share:
//   dw[row, ic, t] = sum over n, o of dy[n, row, o] * x[n, ic, o*stride - padding + t*dilation]
// Rows are output channels. The reduction runs over the positions o of all images. Where the grid is small, each of several
// splits sums over its share of the images, and the results are added up after. The plan crops the kernel to its live taps
// (kernel, padding; the full kernel and the crop's origin say where results go) and clears the rest.
struct Params {
  rows: u32, channels: u32, batch: u32, x_channels: u32,
  kernel: vec2u, x_size: vec2u, y_size: vec2u, stride: vec2i,
  padding: vec2i, dilation: vec2i, full: vec2u, origin: vec2u, y_channels: u32, taps_first: u32,
  images: u32, planes: u32, size: u32, // of a split: its images, the grid's planes, elements of its sum
}
@group(0) @binding(0) var<storage, read> dy: array<Value>;
@group(0) @binding(1) var<storage, read> x: array<Value>;
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;
