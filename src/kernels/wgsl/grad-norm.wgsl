// partial[offset + w] = sum of g[i]^2 over the w-th CHUNK of n elements: one workgroup a chunk, one sum a lane, then a
// tree in workgroup memory. Traffic: n loads.
import package::lib::tree;
const WG = 64u;
const CHUNK = 16384u;

struct Params { n: u32, offset: u32 }
@group(0) @binding(0) var<storage, read> g: array<f32>;
@group(0) @binding(1) var<storage, read_write> partial: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

alias Part = f32;
fn join(a: f32, b: f32) -> f32 { return a + b; }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = group.x * CHUNK;
  let end = min(first + CHUNK, p.n);
  var sum = 0.0;
  for (var i = first + lane; i < end; i += WG) {
    let x = g[i];
    sum = fma(x, x, sum);
  }
  let total = tree(sum, lane, WG);
  if (lane == 0u) { partial[p.offset + group.x] = total; }
}
