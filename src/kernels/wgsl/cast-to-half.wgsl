// y[i] = two f32 elements of x as halves in one word, i < ceil(n / 2). Needs no f16 feature of the adapter.
// WGSL leaves pack2x16float open for values that overflow: those become infinite here, as in IEEE 754.
// One word an invocation. Traffic: n loads, n / 2 stores.
const WG = 64u;

struct Params { n: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(2) var<uniform> p: Params;

fn half(v: f32) -> u32 {
  let bits = pack2x16float(vec2f(v, 0.0)) & 0xffffu;
  let sign = (bitcast<u32>(v) >> 16u) & 0x8000u;
  // Halfway between the largest half, 65504, and the next power of two: from here on rounding overflows.
  return select(bits, sign | 0x7c00u, abs(v) >= 65520.0);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WG;
  if (i >= (p.n + 1u) / 2u) { return; }
  var high = 0.0;
  if (2u * i + 1u < p.n) { high = x[2u * i + 1u]; }
  y[i] = half(x[2u * i]) | (half(high) << 16u);
}
