// y[i] = index[i], or index[i] + size where it is negative, times `stride`, plus y[i] where `more` is set: one of several indices
// on its way to a position in a tensor. One that is not from -size to size - 1 is a fault, and gives NONE.
// Traffic: 2n loads, n stores.
import package::lib::each;
const NONE = 0xffffffffu;

struct Params { n: u32, size: u32, stride: u32, more: u32, fault: u32 }
@group(0) @binding(0) var<storage, read> index: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(2) var<storage, read_write> faults: array<atomic<u32>, 4>;
@group(0) @binding(3) var<uniform> p: Params;

fn each(i: u32) {
  let bits = index[i];
  let k = select(bits, bits + p.size, bits >= 0x80000000u);
  var before = 0u;
  if (p.more != 0u) { before = y[i]; }
  if (k < p.size) {
    y[i] = select(before + k * p.stride, NONE, before == NONE);
    return;
  }
  y[i] = NONE;
  if (atomicCompareExchangeWeak(&faults[0], 0u, p.fault).exchanged) {
    atomicStore(&faults[1], bits);
    atomicStore(&faults[2], p.size);
  }
}
