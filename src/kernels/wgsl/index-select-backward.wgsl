// dx[o, k, c] = sum over j < count with index[j] == k of dy[o, j, c]. Looks up instead of scattering, so no atomics.
// One element an invocation. Traffic: n * count loads of index and one of dy for each hit, n stores.
const WG = 64u;

struct Params { n: u32, inner: u32, count: u32, size: u32 }
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WG;
  if (i >= p.n) { return; }
  let row = i / p.inner;
  let o = row / p.size;
  let k = row - o * p.size;
  let base = o * p.count * p.inner + i - row * p.inner;
  var sum = 0.0;
  for (var j = 0u; j < p.count; j++) {
    if (index[j] == k) { sum += dy[base + j * p.inner]; }
  }
  dx[i] = sum;
}
