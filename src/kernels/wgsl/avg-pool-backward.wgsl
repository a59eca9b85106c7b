// dx[i] = sum of dy[o] / (length in rows * length in columns) over the windows o of avg-pool.wgsl that cover i.
// Gathers. An invocation takes `per` blocks of 2 x 2 inputs, WG apart: the four share the windows that cover them.
// Traffic: one load a window that covers the block, four stores a block.
const WG = 64u;

struct Params {
  blocks: u32,      // of all planes
  per: u32,
  include_pad: u32,
  step: vec3u,      // WG blocks further on, in planes, rows and columns of blocks
  size: vec2u,      // of the input plane, rows then columns, as all pairs here
  out: vec2u,
  kernel: vec2u,
  stride: vec2u,
  pad: vec2u,
  grid: vec2u,      // blocks in a plane
  per_stride: vec2f, // 1 / stride
  windows: vec2u,   // the most that cover a block, rows and columns of them
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

// Begin, end and length (for the divisor) of window o along an axis.
fn window(o: u32, axis: u32) -> vec3u {
  let start = o * p.stride[axis];
  let stop = min(start + p.kernel[axis], p.size[axis] + 2u * p.pad[axis]);
  let begin = max(start, p.pad[axis]) - p.pad[axis];
  let end = min(stop - min(stop, p.pad[axis]), p.size[axis]);
  return vec3u(begin, end, select(end - begin, stop - start, p.include_pad != 0u));
}

// The windows that cover input i or i + 1 along an axis, from ceil((i + pad - kernel + 1) / stride) to
// floor((i + 1 + pad) / stride): half an element keeps the rounded products away from whole numbers.
fn covering(i: u32, axis: u32) -> vec2u {
  let reached = f32(i + p.pad[axis]);
  let low = max(reached - f32(p.kernel[axis]) + 1.0, 0.0) - 0.5;
  let begin = u32(i32(floor(low * p.per_stride[axis]) + 1.0));
  return vec2u(begin, min(u32(i32((reached + 1.5) * p.per_stride[axis])) + 1u, p.out[axis]));
}

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
    let down = covering(i.x, 0u);
    let across = covering(i.y, 1u);
    var sums = vec4f();
    for (var kh = 0u; kh < rows(); kh++) {
      let h = down.x + kh;
      let lines = window(h, 0u);
      let line = (plane * p.out.x + h) * p.out.y;
      for (var kw = 0u; kw < columns(); kw++) {
        let w = across.x + kw;
        let places = window(w, 1u);
        let g = select(0.0, dy[line + w] / f32(lines.z * places.z), h < down.y && w < across.y);
        let in_lines = vec4u(i.x, i.x, i.x + 1u, i.x + 1u);
        let in_places = vec4u(i.y, i.y + 1u, i.y, i.y + 1u);
        let covered = (in_lines >= vec4u(lines.x)) & (in_lines < vec4u(lines.y))
          & (in_places >= vec4u(places.x)) & (in_places < vec4u(places.y));
        sums += select(vec4f(), vec4f(g), covered);
      }
    }
    let to = (plane * p.size.x + i.x) * p.size.y + i.y;
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
