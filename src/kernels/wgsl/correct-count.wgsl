// count = number of rows whose largest element (the first of equals) stands at the row's label: no element before it is as
// large, none after it larger. Rows of `length` elements `inner` apart; labels out of range never match.
// One workgroup takes all rows, WG / lanes at a time. Traffic: n loads and two a row and lane.
const WG = 64u;

struct Params { rows: u32, length: u32, lanes: u32, log_lanes: u32, rounds: u32, inner: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
@group(0) @binding(2) var<storage, read_write> count: array<i32>;
@group(0) @binding(3) var<uniform> p: Params;

var<workgroup> parts: array<i32, WG>;

// Sums over `lanes` neighbours (a power of two).
fn sums(v: i32, i: u32, lanes: u32) -> i32 {
  if (lanes == 1u) { return v; }
  let lane = i & (lanes - 1u);
  parts[i] = v;
  workgroupBarrier();
  for (var half = lanes / 2u; half > 0u; half /= 2u) {
    if (lane < half) { parts[i] += parts[i + half]; }
    workgroupBarrier();
  }
  let result = parts[i - lane];
  workgroupBarrier();
  return result;
}

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) i: u32) {
  let lane = i & (p.lanes - 1u);
  var correct = 0;
  for (var round = 0u; round < p.rounds; round++) {
    let row = (round * WG + i) >> p.log_lanes;
    // Negative labels wrap around to large ones.
    let label = bitcast<u32>(labels[min(row, p.rows - 1u)]);
    let outer = row / p.inner;
    let base = outer * p.length * p.inner + row - outer * p.inner;
    let known = row < p.rows && label < p.length;
    let end = select(0u, p.length, known);
    let best = x[base + min(label, p.length - 1u) * p.inner];
    var larger = 0;
    for (var c = lane; c < end; c += p.lanes) {
      let v = x[base + c * p.inner];
      if (v > best || (v == best && c < label)) { larger++; }
    }
    larger = sums(larger, i, p.lanes);
    if (known && lane == 0u && larger == 0) { correct++; }
  }
  correct = sums(correct, i, WG);
  if (i == 0u) { count[0] = correct; }
}
