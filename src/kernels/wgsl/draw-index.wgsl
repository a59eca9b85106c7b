// y[row, s] = the first j whose running sum c[row, j] is above u[row, s] times the whole sum of the row, found by bisection: a draw
// of j with the probability of its share. A row whose sum is not a positive number is a fault. Traffic: n log(length) loads, n stores.
import package::lib::each;
import package::lib::nan;

struct Params { n: u32, length: u32, draws: u32, fault: u32 }
@group(0) @binding(0) var<storage, read> c: array<f32>;
@group(0) @binding(1) var<storage, read> u: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@group(0) @binding(3) var<storage, read_write> faults: array<atomic<u32>, 4>;
@group(0) @binding(4) var<uniform> p: Params;

fn each(i: u32) {
  let base = i / p.draws * p.length;
  let whole = c[base + p.length - 1u];
  if (!is_positive(whole) || bitcast<u32>(whole) == 0x7f800000u) {
    if (atomicCompareExchangeWeak(&faults[0], 0u, p.fault).exchanged) { atomicStore(&faults[1], i / p.draws); }
    y[i] = 0u;
    return;
  }
  // Below the whole sum, which the product may be rounded to.
  let target_sum = min(u[i] * whole, bitcast<f32>(bitcast<u32>(whole) - 1u));
  var least = 0u;
  var most = p.length - 1u;
  while (least < most) {
    let at = (least + most) / 2u;
    if (c[base + at] > target_sum) { most = at; } else { least = at + 1u; }
  }
  y[i] = least;
}
