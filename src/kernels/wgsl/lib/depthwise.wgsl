// What the depthwise convolutions share: every input channel has `multiplier` filters of its own. The kernel size is constant, so
// that the loops over taps unroll and a channel's weights stay in registers.
//   dest[n, c, i] = end of sum over taps t (and in the input gradient over the channel's filters) of weight[f, t] * source[n, f, ...]
const KH = 3u;
const KW = 3u;

struct Params {
  // Planes of dest (images times channels), its channels, filters a channel has, and from one plane of an invocation to its next.
  planes: u32, channels: u32, multiplier: u32, plane_step: u32,
  source: vec2u, dest: vec2u, stride: vec2i, padding: vec2i, dilation: vec2i,
  act: vec2f, eps: f32,
}
