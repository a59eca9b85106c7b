// y = (op(x) - mean[c]) * inv_std[c] for images in [0, 1], one of the 14 operations of RandAugment and TrivialAugment for each
// image, by chance (torchvision's functional operations on float tensors; those that it has for 8 bits alone, posterize and
// equalize, on the nearest of 256 levels). A first pass takes what some need of the whole image: the mean gray value, each
// channel's extremes, its histogram. A workgroup an image. Traffic: a load (two where there is a first pass; nine to sharpen;
// four between pixels) and a store an element.
import package::lib::normalized;
import package::lib::tree;
import package::lib::affine;
const WG = 128u;
const LEVELS = 256u;
const CHANNELS = 3u;
const SHEAR_X = 1u;
const SHEAR_Y = 2u;
const TRANSLATE_X = 3u;
const TRANSLATE_Y = 4u;
const ROTATE = 5u;
const BRIGHTNESS = 6u;
const COLOR = 7u;
const CONTRAST = 8u;
const SHARPNESS = 9u;
const POSTERIZE = 10u;
const SOLARIZE = 11u;
const AUTO_CONTRAST = 12u;
const EQUALIZE = 13u;
const OPERATIONS = 14u;

struct Params {
  height: u32, width: u32, channels: u32, columns: u32, column: u32, bins: u32,
  // The bin of all images, or `bins`: one by chance.
  bin: u32, bilinear: u32, filled: u32,
  // What the last bin stands for: shear, translation (columns, rows), radians, share, bits. The first stands for 0.
  shear: f32, rotate: f32, enhance: f32, bits: f32, translate: vec2f,
  gray: vec4f, mean: vec4f, inv_std: vec4f, fill: vec4f,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> u: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

alias Part = f32;
fn join(a: f32, b: f32) -> f32 { return a + b; }

var<workgroup> histogram: array<atomic<u32>, 768>;
// Of each channel: the least and the greatest value, as bits, which order floats from 0 on as they do whole numbers.
var<workgroup> least: array<atomic<u32>, 3>;
var<workgroup> greatest: array<atomic<u32>, 3>;
var<workgroup> levels: array<f32, 768>;
var<private> base: u32;

fn pixel(c: u32, row: u32, column: u32) -> f32 { return x[base + (c * p.height + row) * p.width + column]; }

fn gray_at(i: u32) -> f32 {
  let v = x[base + i];
  if (p.channels == 1u) { return v; }
  let plane = p.height * p.width;
  return dot(vec3f(v, x[base + plane + i], x[base + 2u * plane + i]), p.gray.xyz);
}

fn level(v: f32) -> u32 { return u32(round(clamp(v, 0.0, 1.0) * 255.0)); }

// The table of equalize for channel c.
fn equalize(c: u32) {
  let first = c * LEVELS;
  var last = LEVELS - 1u;
  while (last > 0u && atomicLoad(&histogram[first + last]) == 0u) { last--; }
  let step = (p.height * p.width - atomicLoad(&histogram[first + last])) / 255u;
  var below = 0u;
  for (var k = 0u; k < LEVELS; k++) {
    // Too few pixels of other levels than the brightest to spread.
    var to = k;
    if (step > 0u) { to = select(min((below + step / 2u) / step, 255u), 0u, k == 0u); }
    levels[first + k] = f32(to) / 255.0;
    below += atomicLoad(&histogram[first + k]);
  }
}

fn blurred(c: u32, row: u32, column: u32) -> f32 {
  var sum = 4.0 * pixel(c, row, column);
  for (var k = 0u; k < 9u; k++) { sum += pixel(c, row + k / 3u - 1u, column + k % 3u - 1u); }
  return sum / 13.0;
}

fn blend(v: f32, other: f32, factor: f32) -> f32 { return clamp(factor * v + (1.0 - factor) * other, 0.0, 1.0); }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let plane = p.height * p.width;
  base = group.x * p.channels * plane;
  let at = group.x * p.columns + p.column;
  let operation = min(u32(u[at] * f32(OPERATIONS)), OPERATIONS - 1u);
  var bin = p.bin;
  if (bin == p.bins) { bin = min(u32(u[at + 2u] * f32(p.bins)), p.bins - 1u); }
  let strength = f32(bin) / f32(max(p.bins - 1u, 1u));
  let signed = select(strength, -strength, u[at + 1u] < 0.5);

  for (var k = local; k < CHANNELS * LEVELS; k += WG) { atomicStore(&histogram[k], 0u); }
  if (local < CHANNELS) {
    atomicStore(&least[local], bitcast<u32>(1.0));
    atomicStore(&greatest[local], 0u);
  }
  workgroupBarrier();
  var sum = 0.0;
  if (operation == CONTRAST) {
    for (var i = local; i < plane; i += WG) { sum += gray_at(i); }
  } else if (operation == AUTO_CONTRAST || operation == EQUALIZE) {
    for (var c = 0u; c < p.channels; c++) {
      for (var i = local; i < plane; i += WG) {
        let v = clamp(x[base + c * plane + i], 0.0, 1.0);
        if (operation == EQUALIZE) {
          atomicAdd(&histogram[c * LEVELS + level(v)], 1u);
        } else {
          atomicMin(&least[c], bitcast<u32>(v));
          atomicMax(&greatest[c], bitcast<u32>(v));
        }
      }
    }
  }
  let mean_gray = tree(sum, local, WG) / f32(plane);
  if (operation == EQUALIZE && local < p.channels) { equalize(local); }
  workgroupBarrier();

  let size = vec2u(p.height, p.width);
  var map = Map(vec4f(1.0, 0.0, 0.0, 1.0), vec2f());
  // Shears keep the upper left corner.
  let corner = -0.5 * vec2f(size.yx);
  let shear = atan(signed * p.shear);
  switch (operation) {
    case SHEAR_X: { map = inverse_affine(0.0, vec2f(shear, 0.0), 1.0, vec2f(), corner); }
    case SHEAR_Y: { map = inverse_affine(0.0, vec2f(0.0, shear), 1.0, vec2f(), corner); }
    case TRANSLATE_X: { map.offset.x = -trunc(signed * p.translate.x); }
    case TRANSLATE_Y: { map.offset.y = -trunc(signed * p.translate.y); }
    case ROTATE: { map = inverse_affine(-signed * p.rotate, vec2f(), 1.0, vec2f(), vec2f()); }
    default: {}
  }
  let moves = operation >= SHEAR_X && operation <= ROTATE;
  let factor = 1.0 + signed * p.enhance;
  let sharpens = operation == SHARPNESS && p.height > 2u && p.width > 2u;
  // As many of the lowest bits become 0.
  let cleared = (1u << u32(round(strength * p.bits))) - 1u;
  let threshold = 1.0 - strength;
  for (var c = 0u; c < p.channels; c++) {
    let low = bitcast<f32>(atomicLoad(&least[c]));
    let range = bitcast<f32>(atomicLoad(&greatest[c])) - low;
    for (var i = local; i < plane; i += WG) {
      let row = i / p.width;
      let column = i - row * p.width;
      var v = 0.0;
      if (moves) {
        v = sample(map, c, row, column, size, p.bilinear != 0u, p.filled != 0u, p.fill[min(c, 3u)]);
      } else {
        v = x[base + c * plane + i];
      }
      if (operation == BRIGHTNESS) { v = blend(v, 0.0, factor); }
      if (operation == COLOR) { v = blend(v, gray_at(i), factor); }
      if (operation == CONTRAST) { v = blend(v, mean_gray, factor); }
      if (sharpens && row % (p.height - 1u) != 0u && column % (p.width - 1u) != 0u) {
        v = blend(v, blurred(c, row, column), factor);
      }
      if (operation == POSTERIZE) { v = f32(level(v) & ~cleared) / 255.0; }
      if (operation == SOLARIZE && v >= threshold) { v = 1.0 - v; }
      if (operation == AUTO_CONTRAST && range > 0.0) { v = clamp((v - low) / range, 0.0, 1.0); }
      if (operation == EQUALIZE) { v = levels[c * LEVELS + level(v)]; }
      y[base + c * plane + i] = normalized(v, c);
    }
  }
}
