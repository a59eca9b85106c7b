// dx[i] = sum of dy[o] over the windows o whose maximum was found at i. Gathers: no two invocations write one element.
// An invocation takes `per` blocks of 2 x 2 inputs, WG apart: its four inputs share the windows that cover them (four
// for a 3 x 3 kernel with stride 2, where single inputs would look at nine in all).
// Traffic: two loads a window that covers the block, four stores a block.
const WG = 64u;

struct Params {
  blocks: u32,      // of all planes
  per: u32,
  step: vec3u,      // WG blocks further on, in planes, rows and columns of blocks
  size: vec2u,      // of the input plane, rows then columns, as all pairs here
  out: vec2u,
  grid: vec2u,      // blocks in a plane
  pad: vec2u,
  reach: vec2u,     // (kernel - 1) * dilation
  per_stride: vec2f, // 1 / stride
  windows: vec2u,   // the most that cover a block, rows and columns of them
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> found: array<u32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

// The most rows and columns of windows that cover a block: constants in a variant for few, so that the loops unroll.
fn rows() -> u32 { return p.windows.x; }
fn columns() -> u32 { return p.windows.y; }

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.x + group.y * groups.x) * WG * p.per + lane;
  let row_index = first / p.grid.y;
  var plane = row_index / p.grid.x;
  var row = row_index - plane * p.grid.x;
  var column = first - row_index * p.grid.y;
  let end = min(first + p.per * WG, p.blocks);
  for (var b = first; b < end; b += WG) {
    let i = vec2u(row, column) * 2u;
    // The windows from ceil((i + pad - reach) / stride) to floor((i + 1 + pad) / stride): half an element keeps the
    // rounded products away from whole numbers.
    let low = max(vec2f(i + p.pad) - vec2f(p.reach), vec2f()) - 0.5;
    let begin = vec2u(vec2i(floor(low * p.per_stride) + 1.0));
    let stop = min(vec2u(vec2i((vec2f(i + p.pad) + 1.5) * p.per_stride)) + 1u, p.out);
    let at = i.x * p.size.y + i.y;
    var sums = vec4f();
    for (var kh = 0u; kh < rows(); kh++) {
      let h = begin.x + kh;
      let line = (plane * p.out.x + h) * p.out.y;
      for (var kw = 0u; kw < columns(); kw++) {
        let w = begin.y + kw;
        let distance = vec4u(found[line + w] - at);
        let g = select(0.0, dy[line + w], h < stop.x && w < stop.y);
        sums += select(vec4f(), vec4f(g), distance == vec4u(0u, 1u, p.size.y, p.size.y + 1u));
      }
    }
    let to = plane * p.size.x * p.size.y + at;
    let right = i.y + 1u < p.size.y;
    dx[to] = sums.x;
    if (right) { dx[to + 1u] = sums.y; }
    if (i.x + 1u < p.size.x) {
      dx[to + p.size.y] = sums.z;
      if (right) { dx[to + p.size.y + 1u] = sums.w; }
    }

    column += p.step.z;
    row += p.step.y;
    plane += p.step.x;
    if (column >= p.grid.y) {
      column -= p.grid.y;
      row++;
    }
    if (row >= p.grid.x) {
      row -= p.grid.x;
      plane++;
    }
  }
}
