// y[o] = max over the window of o, and where in the plane it was found (the first of equals), per [H, W] plane.
// An invocation takes `per` outputs, WG apart, and advances (plane, row, column) by carries instead of dividing anew.
// Traffic: kernel area loads and two stores an output.
const WG = 64u;

struct Params {
  outputs: u32,     // of all planes
  per: u32,
  step: vec3u,      // WG outputs further on, in planes, rows and columns
  size: vec2u,      // of the input plane, rows then columns, as all pairs here
  out: vec2u,
  kernel: vec2u,
  stride: vec2u,
  pad: vec2u,
  dilation: vec2u,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> found: array<u32>;
@group(0) @binding(3) var<uniform> p: Params;

// The kernel's rows and columns: constants in a variant for a small kernel, so that the loops unroll.
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
    // Rows and columns before the input wrap around to large numbers: one comparison tells inside from outside.
    let top = row * p.stride.x - p.pad.x;
    let left = column * p.stride.y - p.pad.y;
    let base = plane * p.size.x * p.size.y;
    var best = -3.4028234e38;
    var at = 0xffffffffu;
    var h = top;
    for (var kh = 0u; kh < rows(); kh++) {
      let line = h * p.size.y;
      var w = left;
      for (var kw = 0u; kw < columns(); kw++) {
        let v = x[base + line + w];
        if (h < p.size.x && w < p.size.y && (v > best || at == 0xffffffffu)) {
          best = v;
          at = line + w;
        }
        w += p.dilation.y;
      }
      h += p.dilation.x;
    }
    y[o] = best;
    found[o] = at;

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
