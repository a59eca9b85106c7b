// keys[line, j], places[line, j] = key(x[line, j]) and j, sorted by key in stretches of RUN along lines of x [outer, length, inner],
// equal ones in their order: all of a short line, by insertion; with a RUN of 1 as they are, for another sort to go on with. A key
// orders as its element does, as u32: floats by their bits (NaN last, both zeros alike), and positions in a dimension as what is left
// after taking `low` away, NONE for those that are `skip` or beyond `size`. A position that is not one of the `whole` is a fault,
// where `fault` names one. Traffic: n loads, 2n stores.
import package::lib::each;
// What x holds: 0 positions, 1 f32, 2 i32, 3 u32.
const KIND = 0u;
const DESCENDING = false;
const RUN = 16u;
const NONE = 0xffffffffu;

struct Params {
  n: u32, length: u32, inner: u32, runs: u32,
  low: u32, size: u32, whole: u32, skip: u32, fault: u32,
}
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> keys: array<u32>;
@group(0) @binding(2) var<storage, read_write> places: array<u32>;
@group(0) @binding(3) var<storage, read_write> faults: array<atomic<u32>, 4>;
@group(0) @binding(4) var<uniform> p: Params;

fn position(bits: u32) -> u32 {
  if (bits >= p.whole && p.fault != 0u && atomicCompareExchangeWeak(&faults[0], 0u, p.fault).exchanged) {
    atomicStore(&faults[1], bits);
    atomicStore(&faults[2], p.whole);
  }
  let k = bits - p.low;
  return select(NONE, k, k < p.size && bits != p.skip);
}

fn ordered(bits: u32) -> u32 {
  if (KIND == 3u) { return bits; }
  if (KIND == 2u) { return bits ^ 0x80000000u; }
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return NONE; }
  if (bits == 0x80000000u) { return bits; }
  return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}

fn key(bits: u32) -> u32 {
  if (KIND == 0u) { return position(bits); }
  let k = ordered(bits);
  return select(k, ~k, DESCENDING);
}

// i counts stretches.
fn each(i: u32) {
  let line = i / p.runs;
  let first = (i - line * p.runs) * RUN;
  let count = min(RUN, p.length - first);
  let o = line / p.inner;
  let base = (o * p.length + first) * p.inner + line - o * p.inner;
  var sorted = array<vec2u, RUN>();
  for (var j = 0u; j < count; j++) {
    let here = key(x[base + j * p.inner]);
    var at = j;
    while (at > 0u && sorted[at - 1u].x > here) {
      sorted[at] = sorted[at - 1u];
      at--;
    }
    sorted[at] = vec2u(here, first + j);
  }
  let to = line * p.length + first;
  for (var j = 0u; j < count; j++) {
    keys[to + j] = sorted[j].x;
    places[to + j] = sorted[j].y;
  }
}
