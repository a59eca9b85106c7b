// y[i] = x[at(i) + index[at'(i)] * stride], i < n: at(i) walks the dimensions but the gathered one, at'(i) those of index,
// which repeats where whole rows are gathered. An index that is not below `size` (a negative one is huge as u32) gives 0, and is
// reported as a fault, unless it is one of the `whole`: bound may be a part of x, whose indices count from `low` on.
// Moves bits, with T = vec4u four at a time. Traffic: 2n loads, n stores.
import package::lib::several;
import package::lib::strided;
alias T = u32;
// Of the merged walk.
const RANK = 1u;

struct Params {
  n: u32, low: u32, size: u32, whole: u32, stride: u32, fault: u32,
  shape: array<vec4u, 2>, strides: array<vec4u, 2>, index_strides: array<vec4u, 2>,
}
@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<T>;
@group(0) @binding(3) var<storage, read_write> faults: array<atomic<u32>, 4>;
@group(0) @binding(4) var<uniform> p: Params;

fn each(i: u32) {
  let k = index[walk(i, RANK, p.shape, p.index_strides)] - p.low;
  var bits = T();
  if (k < p.size) {
    bits = x[walk(i, RANK, p.shape, p.strides) + k * p.stride];
  } else if (k + p.low >= p.whole && atomicCompareExchangeWeak(&faults[0], 0u, p.fault).exchanged) {
    atomicStore(&faults[1], k + p.low);
    atomicStore(&faults[2], p.whole);
  }
  y[i] = bits;
}
