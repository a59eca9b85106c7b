// What grid-sample-input.wgsl looks up: the place of each point of the grid in its image (of the nearest pixel, where that is
// sampled), and a box around the places of each BLOCK of points: lowest column and row, highest column and row.
// An invocation takes a block. Traffic: one load and one store a point, one store a block.
import package::lib::each;
import package::lib::grid_place;
const BLOCK = 32u;
const NEAREST = false;

struct Params {
  // Blocks of all images; of an image: points and blocks.
  n: u32, points: u32, blocks: u32, size: vec2u, beyond: u32, align: u32,
}
@group(0) @binding(0) var<storage, read> grid: array<vec2f>;
@group(0) @binding(1) var<storage, read_write> places: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> boxes: array<vec4f>;
@group(0) @binding(3) var<uniform> p: Params;

fn each(i: u32) {
  let image = i / p.blocks;
  let first = (i - image * p.blocks) * BLOCK;
  var low = vec2f(3e38);
  var high = vec2f(-3e38);
  for (var k = first; k < min(first + BLOCK, p.points); k++) {
    let point = grid[image * p.points + k];
    var at = vec2f(place(point.x, p.size.y).x, place(point.y, p.size.x).x);
    if (NEAREST) { at = round(at); }
    places[image * p.points + k] = at;
    low = min(low, at);
    high = max(high, at);
  }
  boxes[i] = vec4f(low, high);
}
