// y[k] = finish(join over j < length of each(x[kept(k) + reduced(j)])): kept(k) and reduced(j) walk the kept and the
// reduced dimensions of x through strides. A team of LANES invocations takes one output, or one of `splits` chunks of
// its elements, and meets in workgroup memory. Reduced dimensions beyond two (DEEP) are rare and looked up by division;
// otherwise the position advances by additions: `step` from one element to the next, and `wrap` after the inner dimension.
// Sums of integers go beside their approximation in f32: where the two differ by more than half of what 32 bits count, the sum
// has wrapped, and is reported as a fault. (They differ by a multiple of 2^32 and the rounding of the approximation.)
// Traffic: outputs * length loads, outputs * splits stores.
import package::lib::groups;
import package::lib::nan;
import package::lib::strided;
import package::lib::tree;
alias T = f32;
alias Part = T;
const WG = 64u;
const LANES = 64u;
// Of the merged walks over the kept dimensions, and over the reduced ones but the last, `inner`.
const KEPT_RANK = 1u;
const OUTER_RANK = 1u;
const DEEP = OUTER_RANK > 1u;
const has_faults = true;
// An invocation joins so many elements before it adds them to the others: one long row of additions would lose digits.
const BLOCK = 32u;

struct Params {
  outputs: u32, splits: u32, chunk: u32, length: u32,
  inner: u32, inner_stride: u32, step_outer: u32, step_inner: u32, step: u32, wrap: u32, scale: f32,
  fault: u32,
  kept_shape: array<vec4u, 2>, kept_strides: array<vec4u, 2>,
  outer_shape: array<vec4u, 2>, outer_strides: array<vec4u, 2>,
}
@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<T>;
@group(0) @binding(2) var<storage, read_write> faults: array<u32>;
@group(0) @binding(3) var<uniform> p: Params;

fn each(v: T) -> Part { return v; }
// What no element changes.
fn identity() -> Part { return T(0); }
fn join(a: Part, b: Part) -> Part { return a + b; }
fn finish(v: Part) -> T { return v; }
// Of a sum of integers: whether its approximation tells that it has wrapped.
fn wrapped(v: Part) -> bool { return false; }

fn outer_offset(o: u32) -> u32 { return walk(o, OUTER_RANK, p.outer_shape, p.outer_strides); }

fn group(index: u32, local: u32) {
  let team = index * (WG / LANES) + local / LANES;
  let lane = local % LANES;
  let live = team < p.outputs * p.splits;
  let k = team / p.splits;
  let first = (team - k * p.splits) * p.chunk;
  let end = select(0u, min(first + p.chunk, p.length), live);
  let base = walk(k, KEPT_RANK, p.kept_shape, p.kept_strides);
  var j = first + lane;
  var o = j / p.inner;
  var i = j - o * p.inner;
  var at = base + outer_offset(o) + i * p.inner_stride;
  var part = identity();
  while (j < end) {
    var block = identity();
    for (var left = BLOCK; left > 0u && j < end; left--) {
      block = join(block, each(x[at]));
      j += LANES;
      at += p.step;
      i += p.step_inner;
      if (DEEP) { o += p.step_outer; }
      if (i >= p.inner) {
        i -= p.inner;
        at += p.wrap;
        if (DEEP) { o++; }
      }
      if (DEEP) { at = base + outer_offset(o) + i * p.inner_stride; }
    }
    part = join(part, block);
  }
  let whole = tree(part, local, LANES);
  if (lane != 0u || !live) { return; }
  y[team] = finish(whole);
  if (has_faults) {
    // Not by atomics, which may not be left out: whichever invocation writes, it writes the same.
    if (wrapped(whole) && faults[0] == 0u) { faults[0] = p.fault; }
  }
}
