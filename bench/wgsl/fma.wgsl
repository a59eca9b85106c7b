// Ceiling of arithmetic: x[c] = x[c] * a + b, in CHAINS independent chains held in registers.
// 2 * CHAINS * UNROLL flop a round and invocation; memory: one store an invocation, at the end. UNROLL spreads what a
// software adapter spends on a loop's turn (it updates the mask of live lanes) over many multiply-adds.
const CHAINS = 8u;
const UNROLL = 16u;

struct Params { a: f32, b: f32, rounds: u32 }
@group(0) @binding(0) var<storage, read_write> result: array<f32>;
@group(0) @binding(1) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let a = p.a;
  let b = p.b;
  var x: array<f32, CHAINS>;
  for (var c = 0u; c < CHAINS; c++) { x[c] = f32(id.x + c); }
  for (var round = 0u; round < p.rounds; round++) {
    for (var u = 0u; u < UNROLL; u++) {
      for (var c = 0u; c < CHAINS; c++) { x[c] = fma(x[c], a, b); }
    }
  }
  var sum = 0.0;
  for (var c = 0u; c < CHAINS; c++) { sum += x[c]; }
  result[id.x] = sum;
}
