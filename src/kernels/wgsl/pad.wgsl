// y[i] = x[(i - start) / step] where that is a whole index of x in every dimension, else value, i < n. Constant padding
// (step 1; a negative start crops) and the adjoint of a slice (value 0): every output looks up whether an input lands on
// it. Moves bits, with T = vec4u four at a time. Traffic: at most n loads, n stores.
import package::lib::several;
alias T = u32;
// Of the merged walk.
const RANK = 1u;

struct Params {
  n: u32, value: u32,
  shape: array<vec4u, 2>, start: array<vec4u, 2>, step: array<vec4u, 2>, size: array<vec4u, 2>,
}
@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<T>;
@group(0) @binding(2) var<uniform> p: Params;

fn each(i: u32) {
  var rest = i;
  var at = 0u;
  var stride = 1u;
  var hit = true;
  for (var r = RANK; r > 0u; r--) {
    let d = r - 1u;
    var index = rest;
    if (d > 0u) {
      let quotient = rest / p.shape[d / 4u][d % 4u];
      index = rest - quotient * p.shape[d / 4u][d % 4u];
      rest = quotient;
    }
    // Wraps to a huge index before the start.
    index -= p.start[d / 4u][d % 4u];
    let step = p.step[d / 4u][d % 4u];
    if (step > 1u) {
      let quotient = index / step;
      hit = hit && quotient * step == index;
      index = quotient;
    }
    hit = hit && index < p.size[d / 4u][d % 4u];
    at += index * stride;
    stride *= p.size[d / 4u][d % 4u];
  }
  var bits = T(p.value);
  if (hit) { bits = x[at]; }
  y[i] = bits;
}
