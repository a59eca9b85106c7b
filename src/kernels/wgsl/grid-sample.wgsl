// y[n, c, o] = x[n, c, place of grid[n, o]], the nearest pixel or bilinear between four. An invocation takes several points, each
// for GROUP channels. Traffic: one load or four and a store an output, and the grid's two numbers for GROUP of them.
import package::lib::grid_place;
import package::lib::planes;
const GROUP = 4u;
const NEAREST = false;

struct Params {
  // The walk over points, `span.x * span.y` of them for each group of channels of an image.
  positions: u32, per: u32, step: vec3u, span: vec2u, turns: vec2u,
  channels: u32, groups: u32, size: vec2u, beyond: u32, align: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> grid: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

fn pixel(plane: u32, row: i32, column: i32) -> f32 {
  var v = 0.0;
  if (u32(row) < p.size.x && u32(column) < p.size.y) { v = x[(plane * p.size.x + u32(row)) * p.size.y + u32(column)]; }
  return v;
}

fn each(o: u32, plane: u32, row: u32, column: u32) {
  let n = plane / p.groups;
  let first = (plane - n * p.groups) * GROUP;
  let points = p.span.x * p.span.y;
  let i = row * p.span.y + column;
  let point = grid[n * points + i];
  let at = vec2f(place(point.x, p.size.y).x, place(point.y, p.size.x).x);
  let corner = vec2i(select(floor(at), round(at), NEAREST));
  let far = at - floor(at);
  let near = 1.0 - far;
  for (var c = first; c < min(first + GROUP, p.channels); c++) {
    let channel = n * p.channels + c;
    var v = pixel(channel, corner.y, corner.x);
    if (!NEAREST) {
      v = v * near.x * near.y + pixel(channel, corner.y, corner.x + 1) * far.x * near.y
        + pixel(channel, corner.y + 1, corner.x) * near.x * far.y + pixel(channel, corner.y + 1, corner.x + 1) * far.x * far.y;
    }
    y[channel * points + i] = v;
  }
}
