// y[n, c, q] = (x[n, c, g1(g2(... q))] - mean[c]) * inv_std[c]: crops, flips and rotations g1, g2, ... one after the other,
// without interpolation. Each maps a pixel of its output to the nearest of its input, affinely; where that is outside, the
// step's padding says what is there: its fill, or a pixel inside. The first invocations of a workgroup turn the image's random
// numbers u into those maps; each pixel then walks them from the last to the first. An invocation takes every `stride`-th
// pixel of an image, all channels. Traffic: a load and a store an element.
import package::lib::normalized;
import package::lib::pixels;
const WG = 64u;
const MAX_STEPS = 4u;
const FIXED = 0u;
const CROP = 1u;
const FLIP = 2u;
const ROTATE = 3u;
const FLIP_ROWS = 4u;
const KINDS = 8u;
// Padding.
const CONSTANT = 0u;
const EDGE = 1u;
const REFLECT = 2u;
const SYMMETRIC = 3u;

// Of each step, from the last to the first, `place`: its kind, the column of its first random number, and the height and width
// of its input; `amount`: its numbers a, b, c and d; `fill`: by channel, where it pads with a constant. How it pads is the
// kind's part above KINDS.
// `u` holds `columns` numbers an image, and is bound where a step takes one.
// FIXED: the window begins at (a, b). CROP: it begins at (floor(u0 a) + c, floor(u1 b) + d).
// FLIP: columns mirrored where u0 < a, FLIP_ROWS: rows. ROTATE: counter-clockwise by a + u0 b radians around the centre.
struct Params {
  channels: u32, height: u32, width: u32, steps: u32, columns: u32, stride: u32, stride_y: u32, stride_x: u32,
  mean: vec4f, inv_std: vec4f,
  place: array<vec4u, MAX_STEPS>, amount: array<vec4f, MAX_STEPS>, fill: array<vec4f, MAX_STEPS>,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read> u: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;
const has_u = true;

// (row, column) of the input = round(linear.xy * row + linear.zw * column + offset), and the input's size.
var<workgroup> linear: array<vec4f, MAX_STEPS>;
var<workgroup> offset: array<vec4f, MAX_STEPS>;

fn prepare(s: u32, n: u32) {
  let kind = p.place[s].x % KINDS;
  let size = vec2f(p.place[s].zw);
  let amount = p.amount[s];
  // As FIXED has it.
  var l = vec4f(1.0, 0.0, 0.0, 1.0);
  var o = amount.xy;
  if (has_u && kind != FIXED) {
    let at = n * p.columns + p.place[s].y;
    if (kind == CROP) {
      let range = amount.xy;
      o = min(floor(vec2f(u[at], u[at + 1u]) * range), range - 1.0) + amount.zw;
    } else if (kind == FLIP) {
      let mirrored = u[at] < amount.x;
      l.w = select(1.0, -1.0, mirrored);
      o = vec2f(0.0, select(0.0, size.y - 1.0, mirrored));
    } else if (kind == FLIP_ROWS) {
      let mirrored = u[at] < amount.x;
      l.x = select(1.0, -1.0, mirrored);
      o = vec2f(select(0.0, size.x - 1.0, mirrored), 0.0);
    } else {
      let angle = amount.x + u[at] * amount.y;
      let co = cos(angle);
      let si = sin(angle);
      l = vec4f(co, -si, si, co);
      let centre = 0.5 * size - 0.5;
      o = centre - vec2f(co * centre.x + si * centre.y, -si * centre.x + co * centre.y);
    }
  }
  linear[s] = l;
  offset[s] = vec4f(o, size);
}

// The place inside that stands for one outside.
fn inward(at: vec2f, size: vec2f, padding: u32) -> vec2f {
  if (padding == REFLECT) { return size - 1.0 - abs(size - 1.0 - abs(at)); }
  if (padding == SYMMETRIC) {
    let period = 2.0 * size;
    let turn = at - period * floor(at / period);
    return min(turn, period - 1.0 - turn);
  }
  return clamp(at, vec2f(), size - 1.0);
}

fn each(n: u32, i: u32, row: u32, column: u32) {
  var at = vec2f(vec2u(row, column));
  // The first step of the walk whose input the pixel left, or none.
  var left = p.steps;
  // Of x: the input of the step that is walked last.
  var size = vec2u(p.height, p.width);
  for (var s = 0u; s < p.steps; s++) {
    let l = linear[s];
    let o = offset[s];
    at = round(l.xy * at.x + l.zw * at.y + o.xy);
    if (any(at < vec2f()) || any(at >= o.zw)) {
      let padding = p.place[s].x / KINDS;
      if (padding == CONSTANT) { left = min(left, s); } else { at = inward(at, o.zw, padding); }
    }
    size = vec2u(o.zw);
  }
  var source = 0u;
  let inside = left == p.steps;
  if (inside) { source = u32(at.x) * size.y + u32(at.y); }
  for (var c = 0u; c < p.channels; c++) {
    let image = n * p.channels + c;
    var v = 0.0;
    if (inside) { v = x[image * size.x * size.y + source]; } else { v = p.fill[left][min(c, 3u)]; }
    y[image * p.height * p.width + i] = normalized(v, c);
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32) {
  if (local < p.steps) { prepare(local, id.y); }
  workgroupBarrier();
  walk_pixels(id.y, id.x);
}
