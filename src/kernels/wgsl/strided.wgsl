// y[i] = x[start + sum_d index_d(i) * stride_d], i < n: y is walked in order, x through strides (0 repeats, negative
// ones, in two's complement, walk backwards). Moves bits, so one variant serves every 4-byte type.
// One element an invocation. Traffic: n loads, n stores.
const WG = 64u;
const RANK = 1u;

struct Params { n: u32, start: u32, shape: array<vec4u, 2>, strides: array<vec4u, 2> }
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WG;
  if (i >= p.n) { return; }
  var rest = i;
  var at = p.start;
  for (var d = RANK - 1u; d > 0u; d--) {
    let size = p.shape[d / 4u][d % 4u];
    let quotient = rest / size;
    at += (rest - quotient * size) * p.strides[d / 4u][d % 4u];
    rest = quotient;
  }
  y[i] = x[at + rest * p.strides[0][0]];
}
