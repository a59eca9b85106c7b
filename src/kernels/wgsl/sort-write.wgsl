// values[o, s, c], indices[o, s, c] = the element of x [outer, length, inner] whose position is places[line, s], and that position,
// for the first k of each line (o, c). Moves bits. Traffic: 2n loads, 2n stores.
import package::lib::each;

struct Params { n: u32, length: u32, k: u32, inner: u32 }
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read> places: array<u32>;
@group(0) @binding(2) var<storage, read_write> values: array<u32>;
@group(0) @binding(3) var<storage, read_write> indices: array<u32>;
@group(0) @binding(4) var<uniform> p: Params;

fn each(i: u32) {
  let row = i / p.inner;
  let o = row / p.k;
  let c = i - row * p.inner;
  let s = row - o * p.k;
  let place = places[(o * p.inner + c) * p.length + s];
  values[i] = x[(o * p.length + place) * p.inner + c];
  indices[i] = place;
}
