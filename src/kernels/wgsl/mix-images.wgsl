// y[n] of the batch x: share x[n] + (1 - share) x[n - 1] (MixUp), or x[n] with a rectangle of x[n - 1] (CutMix); n - 1 of the
// first is the last. An invocation takes every `stride`-th pixel, all channels. Traffic: two loads (one), a store an element.
import package::lib::pixels;
import package::lib::mix;
const WG = 64u;

struct Params {
  channels: u32, height: u32, width: u32, stride: u32, stride_y: u32, stride_x: u32, images: u32, alpha: f32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> u: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

var<workgroup> mixed: Mix;

fn each(n: u32, i: u32, row: u32, column: u32) {
  let other = select(n, p.images, n == 0u) - 1u;
  let inside = all(vec2u(row, column) >= mixed.low) && all(vec2u(row, column) < mixed.high);
  for (var c = 0u; c < p.channels; c++) {
    let at = (n * p.channels + c) * p.height * p.width + i;
    let before = (other * p.channels + c) * p.height * p.width + i;
    if (CUT) {
      y[at] = x[select(at, before, inside)];
    } else {
      y[at] = mixed.share * x[at] + (1.0 - mixed.share) * x[before];
    }
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32) {
  if (local == 0u) { mixed = mix_of(); }
  workgroupBarrier();
  walk_pixels(id.y, id.x);
}
