// y[n, e] = (image[index[n], e] / 255 - mean[c]) * inv_std[c], c the channel of byte e, and label_out[n] = label[index[n]]:
// a batch from 8-bit images packed four bytes a word. A data set too large for one binding lies in chunks of `count`
// images from `first`; each chunk's dispatch writes the images that it holds. The chunk with `blank` set also writes
// indices that the set has not: a black image with label -100; one beyond its end (a negative one is padding) is a fault.
// One word an invocation and step, an image a row of workgroups. Traffic: n/4 loads and n stores of an image's n bytes.
import package::lib::normalized;
const WG = 64u;

struct Params {
  words: u32, elements: u32, plane: u32, first: u32, count: u32, total: u32, stride: u32, blank: u32,
  fault: u32,
  mean: vec4f, inv_std: vec4f,
}
@group(0) @binding(0) var<storage, read> image: array<u32>;
@group(0) @binding(1) var<storage, read> label: array<i32>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> label_out: array<i32>;
@group(0) @binding(5) var<storage, read_write> faults: array<atomic<u32>, 4>;
@group(0) @binding(6) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n = id.y;
  // A negative index is huge as u32.
  let at = index[n];
  let here = at - p.first < p.count;
  if (!here && !(p.blank != 0u && at >= p.total)) { return; }
  if (id.x == 0u) {
    var l = -100;
    if (here) { l = label[at]; }
    if (!here && at < 0x80000000u && atomicCompareExchangeWeak(&faults[0], 0u, p.fault).exchanged) {
      atomicStore(&faults[1], at);
      atomicStore(&faults[2], p.total);
    }
    label_out[n] = l;
  }
  let source = (at - p.first) * p.words;
  let target_base = n * p.elements;
  for (var j = id.x; j < p.words; j += p.stride) {
    var word = 0u;
    if (here) { word = image[source + j]; }
    let v = unpack4x8unorm(word);
    let left = min(p.elements - 4u * j, 4u);
    for (var k = 0u; k < left; k++) {
      let e = 4u * j + k;
      // The channel, as far as it matters.
      let c = u32(e >= p.plane) + u32(e >= 2u * p.plane) + u32(e >= 3u * p.plane);
      y[target_base + e] = normalized(v[k], c);
    }
  }
}
