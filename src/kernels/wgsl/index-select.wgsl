// y[o, j, c] = x[o, index[j], c], o < outer, j < count, c < inner: whole rows by index. An index that is not below `size`
// gives zeros. Moves bits. One element an invocation. Traffic: 2n loads, n stores.
const WG = 64u;

struct Params { n: u32, inner: u32, count: u32, size: u32 }
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WG;
  if (i >= p.n) { return; }
  let row = i / p.inner;
  let o = row / p.count;
  let k = index[row - o * p.count];
  var bits = 0u;
  if (k < p.size) { bits = x[(o * p.size + k) * p.inner + i - row * p.inner]; }
  y[i] = bits;
}
