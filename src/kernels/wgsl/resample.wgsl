// One axis of a resize: y[n, c, o] = (sum over k of weight[o, k] x[n, c, first[o] + k] - mean[c]) * inv_std[c], o a row or a
// column, weights from resample-weights.wgsl. `levels` rounds to 256 of them first, as Pillow does after each axis. Columns go
// first, of the rows alone that the rows' table asks for. An invocation takes every `stride`-th pixel of an image, GROUP
// channels at a time. Traffic: k loads of x for a store, and k + 2 of the table for GROUP stores.
import package::lib::normalized;
import package::lib::pixels;
import package::lib::eight_bit;
const WG = 64u;
const GROUP = 1u;
const has_rows = true;

struct Params {
  channels: u32, height: u32, width: u32, in_height: u32, in_width: u32, stride: u32, stride_y: u32, stride_x: u32,
  // Numbers of a position in a table, and of a whole table where each image has its own; the first image's place among all.
  slots: u32, own: u32, first: u32, levels: u32, row_slots: u32, row_own: u32, last_row: u32,
  mean: vec4f, inv_std: vec4f,
}
@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(2) var<storage, read> rows: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> p: Params;

// The rows that are asked for, where columns are resized.
var<private> reach: vec2u;

fn each(n: u32, i: u32, row: u32, column: u32) {
  if (has_rows && (row < reach.x || row >= reach.y)) { return; }
  let base = (p.first + n) * p.own + select(row, column, has_rows) * p.slots;
  let first = u32(table[base]);
  let count = u32(table[base + 1u]);
  let in_plane = p.in_height * p.in_width;
  var start = first * p.in_width + column;
  if (has_rows) { start = row * p.in_width + first; }
  let step = select(p.in_width, 1u, has_rows);
  for (var c = 0u; c < p.channels; c += GROUP) {
    // Its value in words: Mesa's software adapter keeps that of the loop's last turn otherwise.
    var sum = array<f32, GROUP>();
    var at = (n * p.channels + c) * in_plane + start;
    for (var k = 0u; k < count; k++) {
      let weight = table[base + 2u + k];
      for (var g = 0u; g < GROUP; g++) { sum[g] += weight * unit_of(x[at + g * in_plane]); }
      at += step;
    }
    for (var g = 0u; g < GROUP; g++) {
      var v = sum[g];
      if (p.levels != 0u) { v = nearest_level(v); }
      y[(n * p.channels + c + g) * p.height * p.width + i] = normalized(v, c + g);
    }
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (has_rows) {
    let own = (p.first + id.y) * p.row_own;
    let last = own + p.last_row * p.row_slots;
    reach = vec2u(u32(rows[own]), u32(rows[last]) + u32(rows[last + 1u]));
  }
  walk_pixels(id.y, id.x);
}
