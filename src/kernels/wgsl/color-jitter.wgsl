// y = (jitter(x) - mean[c]) * inv_std[c] for images in [0, 1]: brightness, contrast, saturation and hue by random factors
// and, image by image, in random order (torchvision's ColorJitter on tensors). Contrast needs the mean gray value at its
// place in the order: a first pass applies what precedes it and sums, a second pass applies everything.
// A workgroup an image. Traffic: two loads and a store an element (one load where contrast is off).
import package::lib::normalized;
import package::lib::tree;
const WG = 128u;
const BRIGHTNESS = 0u;
const CONTRAST = 1u;
const SATURATION = 2u;
const HUE = 3u;

struct Params {
  plane: u32, channels: u32, columns: u32, column: u32,
  // Bit i: adjustment i takes place.
  enabled: u32,
  // Factor i = low[i] + u * span[i].
  low: vec4f, span: vec4f,
  gray: vec4f, mean: vec4f, inv_std: vec4f,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> u: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

alias Part = f32;
fn join(a: f32, b: f32) -> f32 { return a + b; }

// The permutation of 0..3 with this number out of 24, two bits an entry, the first lowest.
fn permutation(number: u32) -> u32 {
  var rest = number;
  var pool = 0xe4u;
  var order = 0u;
  var base = 6u;
  for (var i = 0u; i < 4u; i++) {
    let pick = 2u * (rest / base);
    rest %= base;
    order |= ((pool >> pick) & 3u) << (2u * i);
    let below = (1u << pick) - 1u;
    pool = (pool & below) | ((pool >> 2u) & ~below);
    base = select(1u, 2u, i == 0u);
  }
  return order;
}

fn gray(v: vec3f) -> f32 { return dot(v, p.gray.xyz); }

// RGB to HSV, the hue turned by `turn`, and back (torchvision's _rgb2hsv and _hsv2rgb).
fn turn_hue(v: vec3f, turn: f32) -> vec3f {
  let high = max(v.x, max(v.y, v.z));
  let range = high - min(v.x, min(v.y, v.z));
  if (range == 0.0) { return v; }
  let d = (vec3f(high) - v) / range;
  var h = 4.0 + d.y - d.x;
  if (high == v.x) { h = d.z - d.y; } else if (high == v.y) { h = 2.0 + d.x - d.z; }
  h = fract(fract(h / 6.0 + 1.0) + turn) * 6.0;
  let sector = floor(h);
  let f = h - sector;
  let s = range / high;
  let down = clamp(vec3f(1.0 - s, 1.0 - s * f, 1.0 - s * (1.0 - f)) * high, vec3f(), vec3f(1.0));
  switch (u32(sector)) {
    case 1u: { return vec3f(down.y, high, down.x); }
    case 2u: { return vec3f(down.x, high, down.z); }
    case 3u: { return vec3f(down.x, down.y, high); }
    case 4u: { return vec3f(down.z, down.x, high); }
    case 5u: { return vec3f(high, down.x, down.y); }
    default: { return vec3f(high, down.z, down.x); }
  }
}

fn adjust(kind: u32, v: vec3f, factor: f32, mean_gray: f32) -> vec3f {
  if (kind == HUE) { return turn_hue(v, factor); }
  var other = 0.0;
  if (kind == CONTRAST) { other = mean_gray; }
  if (kind == SATURATION) { other = gray(v); }
  return clamp(factor * v + (1.0 - factor) * other, vec3f(), vec3f(1.0));
}

fn pixel(base: u32, i: u32) -> vec3f {
  if (p.channels == 1u) { return vec3f(x[base + i]); }
  return vec3f(x[base + i], x[base + p.plane + i], x[base + 2u * p.plane + i]);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = group.x * p.columns + p.column;
  let order = permutation(min(u32(u[at] * 24.0), 23u));
  let factors = p.low + vec4f(u[at + 1u], u[at + 2u], u[at + 3u], u[at + 4u]) * p.span;
  let base = group.x * p.channels * p.plane;
  let contrast = (p.enabled & (1u << CONTRAST)) != 0u;
  var sum = 0.0;
  if (contrast) {
    for (var i = local; i < p.plane; i += WG) {
      var v = pixel(base, i);
      for (var k = 0u; k < 4u; k++) {
        let kind = (order >> (2u * k)) & 3u;
        if (kind == CONTRAST) { break; }
        if ((p.enabled & (1u << kind)) != 0u) { v = adjust(kind, v, factors[kind], 0.0); }
      }
      sum += gray(v);
    }
  }
  let mean_gray = tree(sum, local, WG) / f32(p.plane);
  for (var i = local; i < p.plane; i += WG) {
    var v = pixel(base, i);
    for (var k = 0u; k < 4u; k++) {
      let kind = (order >> (2u * k)) & 3u;
      if ((p.enabled & (1u << kind)) != 0u) { v = adjust(kind, v, factors[kind], mean_gray); }
    }
    for (var c = 0u; c < p.channels; c++) { y[base + c * p.plane + i] = normalized(v[c], c); }
  }
}
