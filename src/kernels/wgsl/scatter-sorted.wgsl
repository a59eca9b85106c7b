// y[m, k] += the sum (or, where SUM is false, y[m, k] = the last one) of those x[m, j] whose position along y's dimension is k: places[j]
// sorted by their keys k, one list of them for all lines m, or one for each. Where y has no such element nothing is written.
// x is [outer, length, inner]; m, of outer and inner, walks y through strides. The first of equal keys looks through all of
// them, in order and adding up by blocks: no atomics, and the same sum each time. Traffic: 3n loads, a store a key and line.
import package::lib::each;
import package::lib::strided;
alias T = f32;
const SUM = true;
const ONE_LIST = false;
// One element that all positions share, in the place of x.
const has_x = true;
// Of the merged walk.
const RANK = 1u;
const BLOCK = 256u;

struct Params {
  n: u32, length: u32, inner: u32, size: u32, stride: u32, value: u32,
  shape: array<vec4u, 2>, strides: array<vec4u, 2>,
}
@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> keys: array<u32>;
@group(0) @binding(2) var<storage, read> places: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<T>;
@group(0) @binding(4) var<uniform> p: Params;

fn each(i: u32) {
  let row = i / p.inner;
  let outer = row / p.length;
  let j = row - outer * p.length;
  let inner = i - row * p.inner;
  let line = outer * p.inner + inner;
  var list = line * p.length;
  if (ONE_LIST) { list = 0u; }
  let key = keys[list + j];
  if (key >= p.size) { return; }
  if (j > 0u) {
    if (keys[list + j - 1u] == key) { return; }
  }
  let at = walk(line, RANK, p.shape, p.strides) + key * p.stride;
  if (!has_x) {
    y[at] = bitcast<T>(p.value);
    return;
  }
  let base = outer * p.length * p.inner + inner;
  var sum = T(0);
  var next = j;
  var more = true;
  while (more) {
    var block = T(0);
    for (var left = BLOCK; left > 0u && more; left--) {
      let here = x[base + places[list + next] * p.inner];
      block = select(here, block + here, SUM);
      next++;
      more = next < p.length;
      if (more) { more = keys[list + next] == key; }
    }
    sum = select(block, sum + block, SUM);
  }
  if (SUM) { sum += y[at]; }
  y[at] = sum;
}
