// dx[i] = sum of dy[o] over the windows o whose maximum was found at i. Gathers: no two invocations write one element.
// An invocation takes several blocks of 2 x 2 inputs. Traffic: two loads a window that covers the block, four stores a block.
import package::lib::blocks;

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> found: array<u32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

fn plus_windows(sums: vec4f, i: vec2u, _row: u32, line: u32, across: vec2u) -> vec4f {
  var s = sums;
  let at = i.x * p.size.y + i.y;
  for (var k = 0u; k < columns(); k++) {
    let w = across.x + k;
    let distance = vec4u(found[line + w] - at);
    let g = select(0.0, dy[line + w], w < across.y);
    s += select(vec4f(), vec4f(g), distance == vec4u(0u, 1u, p.size.y, p.size.y + 1u));
  }
  return s;
}
