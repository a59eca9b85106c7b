// y[i] = x[at(i) + index[i] * stride]: at(i) walks the dimensions but the gathered one. An index that is not below `size`
// (a negative one is huge as u32) gives 0. Moves bits. One element an invocation. Traffic: 2n loads, n stores.
const WG = 64u;

struct Params { n: u32, rank: u32, size: u32, stride: u32, shape: array<vec4u, 2>, strides: array<vec4u, 2> }
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WG;
  if (i >= p.n) { return; }
  var rest = i;
  var at = 0u;
  for (var d = p.rank - 1u; d > 0u; d--) {
    let quotient = rest / p.shape[d / 4u][d % 4u];
    at += (rest - quotient * p.shape[d / 4u][d % 4u]) * p.strides[d / 4u][d % 4u];
    rest = quotient;
  }
  at += rest * p.strides[0][0];
  let k = index[i];
  var bits = 0u;
  if (k < p.size) { bits = x[at + k * p.stride]; }
  y[i] = bits;
}
