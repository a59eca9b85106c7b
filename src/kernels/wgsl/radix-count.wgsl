// counts[line, d, chunk] = how many keys of a chunk of a line [length] have the digit d: its BITS bits from `shift` on. The first half of a
// step of a radix sort. An invocation takes a chunk. Traffic: n loads, SIZE stores a chunk.
import package::lib::each;
const BITS = 8u;
const SIZE = 1u << BITS;

struct Params { n: u32, length: u32, chunk: u32, chunks: u32, shift: u32 }
@group(0) @binding(0) var<storage, read> keys: array<u32>;
@group(0) @binding(1) var<storage, read_write> counts: array<u32>;
@group(0) @binding(2) var<uniform> p: Params;

fn each(i: u32) {
  let line = i / p.chunks;
  let chunk = i - line * p.chunks;
  let first = chunk * p.chunk;
  let last = min(first + p.chunk, p.length);
  var count = array<u32, SIZE>();
  for (var j = first; j < last; j++) { count[(keys[line * p.length + j] >> p.shift) & (SIZE - 1u)]++; }
  for (var d = 0u; d < SIZE; d++) { counts[(line * SIZE + d) * p.chunks + chunk] = count[d]; }
}
