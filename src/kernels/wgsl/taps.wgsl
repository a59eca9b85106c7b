// y[plane, r, c] = sum over k and l of down[r, k].weight across[c, l].weight x[plane, down[r, k].at, across[c, l].at]: each position
// of a plane's axis is a weighted sum of a few others, which a table lists (their place, and the bits of their weight; behind the last
// one stand weights of 0). Interpolation and padding by reflection and the like, and with transposed tables their gradients.
// An axis without a table stays as it is. COPY: one position each, of weight 1.
// An invocation takes several positions, each of GROUP planes. Traffic: k l loads of x and one store an output, and k l + k of the
// tables for GROUP outputs.
import package::lib::planes;
const has_down = true;
const has_across = true;
const COPY = false;
const GROUP = 1u;

struct Params {
  // The walk over groups of outputs; `turns`: entries of a position in the tables.
  positions: u32, per: u32, step: vec3u, span: vec2u, turns: vec2u,
  // Planes, and rows and columns of x.
  planes: u32, size: vec2u,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> down: array<vec2u>;
@group(0) @binding(2) var<storage, read> across: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> p: Params;

const ONE = 0x3f800000u;

fn row_at(row: u32, k: u32) -> vec2u {
  var tap = vec2u(row, ONE);
  if (has_down) { tap = down[row * rows() + k]; }
  return tap;
}

fn column_at(column: u32, k: u32) -> vec2u {
  var tap = vec2u(column, ONE);
  if (has_across) { tap = across[column * columns() + k]; }
  return tap;
}

fn each(o: u32, group: u32, row: u32, column: u32) {
  // Of planes behind the last one the last one is read, and nothing is written.
  let first = group * GROUP;
  let last = p.planes - 1u;
  let area = p.size.x * p.size.y;
  // Its value in words: Mesa's software adapter keeps that of the loop's last turn otherwise.
  var sum = array<f32, GROUP>();
  for (var k = 0u; k < rows(); k++) {
    let r = row_at(row, k);
    let weight = bitcast<f32>(r.y);
    // Where the loop is unrolled a comparison costs less than a way out.
    if (ROWS == 0u && weight == 0.0) { break; }
    for (var l = 0u; l < columns(); l++) {
      let c = column_at(column, l);
      let share = bitcast<f32>(c.y);
      if (COLUMNS == 0u && share == 0.0) { break; }
      let both = weight * share;
      let at = r.x * p.size.y + c.x;
      for (var g = 0u; g < GROUP; g++) {
        let v = x[min(first + g, last) * area + at];
        if (COPY) { sum[g] = v; } else { sum[g] += select(0.0, both * v, both != 0.0); }
      }
    }
  }
  let whole = p.span.x * p.span.y;
  for (var g = 0u; g < GROUP; g++) {
    if (first + g <= last) { y[(first + g) * whole + row * p.span.y + column] = sum[g]; }
  }
}
