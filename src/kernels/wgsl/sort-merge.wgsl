// Pairs of sorted stretches of `width` along lines of `length`, merged into stretches of twice the width; equal keys keep their
// order. An invocation makes RUN neighbours: where they come from in both stretches it finds by bisection along their diagonal
// (Green, McColl and Bader, GPU Merge Path, ICS 2012). Traffic: 2n loads and stores, and 2 log(width) loads for every RUN.
import package::lib::each;
const RUN = 16u;

// runs: stretches of RUN in a line.
struct Params { n: u32, length: u32, runs: u32, width: u32 }
@group(0) @binding(0) var<storage, read> keys: array<u32>;
@group(0) @binding(1) var<storage, read> places: array<u32>;
@group(0) @binding(2) var<storage, read_write> keys_out: array<u32>;
@group(0) @binding(3) var<storage, read_write> places_out: array<u32>;
@group(0) @binding(4) var<uniform> p: Params;

fn each(i: u32) {
  let line = i / p.runs;
  let base = line * p.length;
  let first = (i - line * p.runs) * RUN;
  let count = min(RUN, p.length - first);
  // Left stretch low to middle, right one middle to high.
  let low = first - first % (2u * p.width);
  let middle = min(low + p.width, p.length);
  let high = min(middle + p.width, p.length);
  let diagonal = first - low;
  var least = max(diagonal, high - middle) - (high - middle);
  var most = min(diagonal, middle - low);
  while (least < most) {
    let at = (least + most) / 2u;
    if (keys[base + low + at] <= keys[base + middle + diagonal - 1u - at]) { least = at + 1u; } else { most = at; }
  }
  var a = low + least;
  var b = middle + diagonal - least;
  for (var j = 0u; j < count; j++) {
    var left = b >= high;
    if (!left && a < middle) { left = keys[base + a] <= keys[base + b]; }
    let source = base + select(b, a, left);
    keys_out[base + first + j] = keys[source];
    places_out[base + first + j] = places[source];
    a += u32(left);
    b += u32(!left);
  }
}
