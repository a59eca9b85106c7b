// dx[i] = sum of dy[o] / (length in rows * length in columns) over the windows o of avg-pool.wgsl that cover i. Gathers.
// An invocation takes several blocks of 2 x 2 inputs. Traffic: one load a window that covers the block, four stores a block.
import package::lib::blocks;

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

fn plus_windows(sums: vec4f, i: vec2u, row: u32, line: u32, across: vec2u) -> vec4f {
  var s = sums;
  let lines = window(row, 0u);
  for (var k = 0u; k < columns(); k++) {
    let w = across.x + k;
    let places = window(w, 1u);
    let g = select(0.0, dy[line + w] / f32(lines.z * places.z), w < across.y);
    let in_lines = vec4u(i.x, i.x, i.x + 1u, i.x + 1u);
    let in_places = vec4u(i.y, i.y + 1u, i.y, i.y + 1u);
    let covered = (in_lines >= vec4u(lines.x)) & (in_lines < vec4u(lines.y))
      & (in_places >= vec4u(places.x)) & (in_places < vec4u(places.y));
    s += select(vec4f(), vec4f(g), covered);
  }
  return s;
}
