// y[o] = sum of x over the window of o, divided by the window's length in rows times its length in columns, per plane.
// `window` is that of average pooling with stride and padding here, and that of adaptive pooling in the other variant.
// An invocation takes `per` outputs, WG apart, and advances (plane, row, column) by carries instead of dividing anew.
// Traffic: window area loads and one store an output.
const WG = 64u;

struct Params {
  outputs: u32,     // of all planes
  per: u32,
  include_pad: u32,
  step: vec3u,      // WG outputs further on, in planes, rows and columns
  size: vec2u,      // of the input plane, rows then columns, as all pairs here
  out: vec2u,
  kernel: vec2u,    // adaptive: the largest window
  stride: vec2u,
  pad: vec2u,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

// Begin, end and length (for the divisor) of window o along an axis.
fn window(o: u32, axis: u32) -> vec3u {
  let start = o * p.stride[axis];
  let stop = min(start + p.kernel[axis], p.size[axis] + 2u * p.pad[axis]);
  let begin = max(start, p.pad[axis]) - p.pad[axis];
  let end = min(stop - min(stop, p.pad[axis]), p.size[axis]);
  return vec3u(begin, end, select(end - begin, stop - start, p.include_pad != 0u));
}

// The most rows and columns that a window has: constants in a variant for a few, so that the loops unroll.
fn rows() -> u32 { return p.kernel.x; }
fn columns() -> u32 { return p.kernel.y; }

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.x + group.y * groups.x) * WG * p.per + lane;
  let row_index = first / p.out.y;
  var plane = row_index / p.out.x;
  var row = row_index - plane * p.out.x;
  var column = first - row_index * p.out.y;
  let end = min(first + p.per * WG, p.outputs);
  for (var o = first; o < end; o += WG) {
    let down = window(row, 0u);
    let across = window(column, 1u);
    var sum = 0.0;
    for (var kh = 0u; kh < rows(); kh++) {
      let h = down.x + kh;
      let line = (plane * p.size.x + h) * p.size.y;
      for (var kw = 0u; kw < columns(); kw++) {
        let w = across.x + kw;
        sum += select(0.0, x[line + w], h < down.y && w < across.y);
      }
    }
    y[o] = sum / f32(down.z * across.z);

    column += p.step.z;
    row += p.step.y;
    plane += p.step.x;
    if (column >= p.out.y) {
      column -= p.out.y;
      row++;
    }
    if (row >= p.out.x) {
      row -= p.out.x;
      plane++;
    }
  }
}
