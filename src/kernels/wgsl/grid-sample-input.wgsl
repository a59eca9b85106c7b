// The gradient of grid-sample.wgsl in its images: dx[n, c, h, w] = sum over the points o whose place is less than a pixel away of
// dy[n, c, o] (1 - distance in rows) (1 - distance in columns); of nearest pixels, of those at (h, w). Gathers: a pixel looks
// through the boxes around BLOCK points each, and into those that reach it. An invocation takes several pixels, each of GROUP channels.
// Traffic: a load a block, and where the box reaches a load a point and GROUP a hit; GROUP stores.
import package::lib::planes;
const GROUP = 4u;
const NEAREST = false;
const BLOCK = 32u;

struct Params {
  // The walk over pixels, for each group of channels of an image.
  positions: u32, per: u32, step: vec3u, span: vec2u, turns: vec2u,
  channels: u32, groups: u32, points: u32, blocks: u32,
}
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> places: array<vec2f>;
@group(0) @binding(2) var<storage, read> boxes: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
@group(0) @binding(4) var<uniform> p: Params;

fn each(o: u32, plane: u32, row: u32, column: u32) {
  let n = plane / p.groups;
  let first = (plane - n * p.groups) * GROUP;
  // Behind the last channel the last one is read, and nothing is written.
  let last = p.channels - 1u;
  let here = vec2f(f32(column), f32(row));
  let reach = select(1.0, 0.5, NEAREST);
  // Its value in words: Mesa's software adapter keeps that of the loop's last turn otherwise.
  var sum = array<f32, GROUP>();
  for (var b = 0u; b < p.blocks; b++) {
    let box = boxes[n * p.blocks + b];
    if (any(here <= box.xy - reach) || any(here >= box.zw + reach)) { continue; }
    for (var k = b * BLOCK; k < min((b + 1u) * BLOCK, p.points); k++) {
      let away = abs(places[n * p.points + k] - here);
      if (any(away >= vec2f(reach))) { continue; }
      var weight = 1.0;
      if (!NEAREST) { weight = (1.0 - away.x) * (1.0 - away.y); }
      for (var g = 0u; g < GROUP; g++) {
        sum[g] += weight * dy[(n * p.channels + min(first + g, last)) * p.points + k];
      }
    }
  }
  let area = p.span.x * p.span.y;
  for (var g = 0u; g < GROUP; g++) {
    if (first + g <= last) { dx[(n * p.channels + first + g) * area + row * p.span.y + column] = sum[g]; }
  }
}
