// Depthwise convolution of stride 1 that keeps the width of its maps, whose rows are vectors of four, forward and, with FLIP, its
// input gradient (the same sums over the taps in reverse; one filter a channel):
//   dest[n, c, h, w] = end of sum over t of weight[c, t] * source[n, c, h + th - pad, w + tw - KW/2]
// Tiling: an invocation takes ROWS rows of one vector of four positions of a plane and walks down: each row of the source is
// loaded once for the KH rows of dest that it belongs to. A channel's weights stay in registers.
// Traffic: 3 (ROWS + KH - 1) / ROWS vector loads a vector of dest, a store.
import package::lib::depthwise;
import package::lib::row_window;
import package::lib::epilogue;
alias Value = vec4f;
const WG = 64u;
const ROWS = 4u;
const FLIP = false;

@group(0) @binding(0) var<storage, read> weight: array<f32>;
@group(0) @binding(1) var<storage, read> source: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dest: array<vec4f>;
@group(0) @binding(9) var<uniform> p: Params;

fn activated(v: Value) -> Value { return vec4f(activate(v.x), activate(v.y), activate(v.z), activate(v.w)); }

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
  let width = p.dest.y / 4u;
  let strip = id.x / width;
  let w = id.x - strip * width;
  let first = strip * ROWS;
  if (first >= p.dest.x) { return; }
  for (var plane = group.y; plane < p.planes; plane += p.plane_step) {
    let channel = plane % p.channels;
    var taps = array<f32, KH * KW>();
    for (var t = 0u; t < KH * KW; t++) {
      taps[t] = weight[channel * KH * KW + select(t, KH * KW - 1u - t, FLIP)];
    }
    var sums = array<vec4f, ROWS>();
    for (var r = 0u; r < ROWS + KH - 1u; r++) {
      let h = first + r - u32(p.padding.x);
      let inside = h < p.source.x;
      let window = row_window((plane * p.source.x + select(0u, h, inside)) * width, w, width, inside);
      for (var tw = 0u; tw < KW; tw++) {
        let at = 4u + tw - KW / 2u;
        let v = vec4f(window[at], window[at + 1u], window[at + 2u], window[at + 3u]);
        // The row of dest that sees this row of the source through tap row th.
        for (var th = 0u; th < KH; th++) {
          if (r >= th && r - th < ROWS) { sums[r - th] = fma(v, vec4f(taps[th * KW + tw]), sums[r - th]); }
        }
      }
    }
    let by = affine(channel);
    for (var r = 0u; r < ROWS; r++) {
      let to = (plane * p.dest.x + first + r) * width + w;
      if (first + r < p.dest.x) { dest[to] = finish(sums[r], by, to); }
    }
  }
}
