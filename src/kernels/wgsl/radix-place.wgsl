// keys_out, places_out = keys and places of lines [length] by their digit, the BITS bits from `shift` on; equal digits keep their order.
// ends[line, d, chunk] counts the line's keys of smaller digits, and of this one up to the end of the chunk (running sums
// of what radix-count.wgsl counts). Traffic: 2n loads and stores, SIZE loads a chunk.
import package::lib::each;
const BITS = 8u;
const SIZE = 1u << BITS;

struct Params { n: u32, length: u32, chunk: u32, chunks: u32, shift: u32 }
@group(0) @binding(0) var<storage, read> keys: array<u32>;
@group(0) @binding(1) var<storage, read> places: array<u32>;
@group(0) @binding(2) var<storage, read> ends: array<u32>;
@group(0) @binding(3) var<storage, read_write> keys_out: array<u32>;
@group(0) @binding(4) var<storage, read_write> places_out: array<u32>;
@group(0) @binding(5) var<uniform> p: Params;

fn each(i: u32) {
  let line = i / p.chunks;
  let chunk = i - line * p.chunks;
  let first = chunk * p.chunk;
  let last = min(first + p.chunk, p.length);
  let base = line * p.length;
  // Where the next key of a digit goes: behind those of the entry before.
  var next = array<u32, SIZE>();
  for (var d = 0u; d < SIZE; d++) {
    let at = d * p.chunks + chunk;
    if (at > 0u) { next[d] = ends[line * SIZE * p.chunks + at - 1u]; }
  }
  for (var j = first; j < last; j++) {
    let key = keys[base + j];
    let digit = (key >> p.shift) & (SIZE - 1u);
    let to = base + next[digit];
    next[digit]++;
    keys_out[to] = key;
    places_out[to] = places[base + j];
  }
}
