// The gradient of bilinear grid-sample.wgsl in its grid: dgrid[n, o] = slope of the place * sum over c of dy[n, c, o] times the
// derivative of x[n, c] between four pixels. An invocation takes several points. Traffic: five loads a channel, one store.
import package::lib::grid_place;
import package::lib::planes;

struct Params {
  // The walk over the points of each image.
  positions: u32, per: u32, step: vec3u, span: vec2u, turns: vec2u,
  channels: u32, size: vec2u, beyond: u32, align: u32,
}
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> grid: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> dgrid: array<vec2f>;
@group(0) @binding(4) var<uniform> p: Params;

fn pixel(plane: u32, row: i32, column: i32) -> f32 {
  var v = 0.0;
  if (u32(row) < p.size.x && u32(column) < p.size.y) { v = x[(plane * p.size.x + u32(row)) * p.size.y + u32(column)]; }
  return v;
}

fn each(o: u32, n: u32, row: u32, column: u32) {
  let points = p.span.x * p.span.y;
  let i = row * p.span.y + column;
  let across = place(grid[o].x, p.size.y);
  let down = place(grid[o].y, p.size.x);
  let at = vec2f(across.x, down.x);
  let corner = vec2i(floor(at));
  let far = at - floor(at);
  let near = 1.0 - far;
  var sum = vec2f();
  for (var c = 0u; c < p.channels; c++) {
    let channel = n * p.channels + c;
    let a = pixel(channel, corner.y, corner.x);
    let b = pixel(channel, corner.y, corner.x + 1);
    let d = pixel(channel, corner.y + 1, corner.x);
    let e = pixel(channel, corner.y + 1, corner.x + 1);
    sum += dy[channel * points + i] * vec2f((b - a) * near.y + (e - d) * far.y, (d - a) * near.x + (e - b) * far.x);
  }
  dgrid[o] = sum * vec2f(across.y, down.y);
}
