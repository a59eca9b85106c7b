// For each of `out_size` output positions along one axis: table[n, o] = (first input position, how many, their weights), as
// Pillow and PyTorch resize. The filter f (box, triangle, cubic) is centred at (o + 0.5) scale, scale = input / output size,
// and with antialias as wide as scale, if that is above 1; its weights are divided by their sum. Without it the cubic (a =
// -0.75) repeats the picture's edge instead. Centres are computed in whole numbers first: exact for sizes whose product is
// below 2^31. RANDOM windows (torchvision's RandomResizedCrop) take 22 random numbers an image, and weights for each image.
// An output position an invocation, a table a row of workgroups. Traffic: a store an element of the table.
import package::lib::random_window;
const WG = 64u;
const NEAREST = 0u;
const NEAREST_EXACT = 1u;
const BILINEAR = 2u;
const BICUBIC = 3u;
const has_u = true;

struct Params {
  // axis: 0 for rows, 1 for columns. slots: numbers of a position in the table.
  axis: u32, out_size: u32, slots: u32, mode: u32, antialias: u32, columns: u32, column: u32,
  size: vec2u, area: vec2f, ratio: vec2f,
}
@group(0) @binding(0) var<storage, read> u: array<f32>;
@group(0) @binding(1) var<storage, read_write> table: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

fn cubic(x: f32, a: f32) -> f32 {
  let d = abs(x);
  if (d < 1.0) { return ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0; }
  if (d < 2.0) { return (((d - 5.0) * d + 8.0) * d - 4.0) * a; }
  return 0.0;
}

fn filter_at(x: f32) -> f32 {
  if (p.mode == BICUBIC) { return cubic(x, -0.5); }
  return max(1.0 - abs(x), 0.0);
}

// The part of the picture that is resized.
fn window(n: u32) -> vec4u {
  if (!has_u) { return vec4u(0u, 0u, p.size); }
  let drawn = random_window(n * p.columns + p.column, p.size, p.size, 1u, p.area, p.ratio);
  if (drawn.z > 0u) { return drawn; }
  // The largest window in the middle whose proportions are allowed.
  let own = f32(p.size.y) / f32(p.size.x);
  let narrow = exp(p.ratio.x);
  let wide = exp(p.ratio.x + p.ratio.y);
  var size = p.size;
  if (own < narrow) { size.x = u32(round(f32(size.y) / narrow)); }
  if (own > wide) { size.y = u32(round(f32(size.x) * wide)); }
  return vec4u((p.size - size) / 2u, size);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let o = id.x;
  if (o >= p.out_size) { return; }
  let part = window(id.y);
  let begin = part[p.axis];
  let size = part[p.axis + 2u];
  let last = i32(size) - 1;
  let base = (id.y * p.out_size + o) * p.slots;
  var first = 0;
  var count = 1;
  if (p.mode == NEAREST || p.mode == NEAREST_EXACT) {
    var at = o * size / p.out_size;
    if (p.mode == NEAREST_EXACT) { at = (2u * o + 1u) * size / (2u * p.out_size); }
    first = min(i32(at), last);
    table[base + 2u] = 1.0;
  } else {
    let twice = (2u * o + 1u) * size;
    let whole = i32(twice / (2u * p.out_size));
    let rest = f32(twice % (2u * p.out_size)) / f32(2u * p.out_size);
    if (p.mode == BICUBIC && p.antialias == 0u) {
      // Four taps around whole + rest - 0.5.
      let low = whole - select(0, 1, rest < 0.5);
      let t = rest - 0.5 + select(0.0, 1.0, rest < 0.5);
      first = clamp(low - 1, 0, last);
      count = clamp(low + 2, 0, last) - first + 1;
      for (var k = 0; k < count; k++) {
        var weight = 0.0;
        for (var tap = -1; tap <= 2; tap++) {
          if (clamp(low + tap, 0, last) == first + k) { weight += cubic(t - f32(tap), -0.75); }
        }
        table[base + 2u + u32(k)] = weight;
      }
    } else {
      let stretch = select(1.0, max(f32(size) / f32(p.out_size), 1.0), p.antialias != 0u);
      let support = stretch * select(1.0, 2.0, p.mode == BICUBIC);
      first = max(whole + i32(floor(rest - support + 0.5)), 0);
      count = min(whole + i32(floor(rest + support + 0.5)), last + 1) - first;
      var sum = 0.0;
      for (var k = 0; k < count; k++) {
        let weight = filter_at((f32(first + k - whole) - rest + 0.5) / stretch);
        table[base + 2u + u32(k)] = weight;
        sum += weight;
      }
      for (var k = 0; k < count; k++) { table[base + 2u + u32(k)] /= sum; }
    }
  }
  table[base] = f32(i32(begin) + first);
  table[base + 1u] = f32(count);
}
