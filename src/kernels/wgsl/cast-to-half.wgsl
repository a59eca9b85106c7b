// y[i] = two of the `count` f32 elements of x as halves in one word, i < n words. Needs no f16 feature of the adapter.
// WGSL leaves pack2x16float open for values that overflow: those become infinite here, as in IEEE 754.
// Traffic: 2n loads, n stores.
import package::lib::each;

struct Params { n: u32, count: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(2) var<uniform> p: Params;

fn half(v: f32) -> u32 {
  let bits = pack2x16float(vec2f(v, 0.0)) & 0xffffu;
  let sign = (bitcast<u32>(v) >> 16u) & 0x8000u;
  // Halfway between the largest half, 65504, and the next power of two: from here on rounding overflows.
  return select(bits, sign | 0x7c00u, abs(v) >= 65520.0);
}

fn each(i: u32) {
  var high = 0.0;
  if (2u * i + 1u < p.count) { high = x[2u * i + 1u]; }
  y[i] = half(x[2u * i]) | (half(high) << 16u);
}
