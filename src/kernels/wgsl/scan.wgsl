// y[o, j, c] = join(x[o, 0, c], ..., x[o, j, c]), or from the last one on where REVERSE is set: running sums or products along
// lines of x [outer, length, inner]. An invocation takes `chunk` elements of a line, one after the other, and begins with
// what the chunks before come to, carry[line, chunk - 1]. With TOTALS it writes only what its chunk comes to.
// Traffic: n loads, n stores; n loads more where lines are divided.
import package::lib::each;
alias T = f32;
const REVERSE = false;
const TOTALS = false;
const has_carry = true;

struct Params { n: u32, length: u32, inner: u32, chunk: u32, chunks: u32 }
@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> carry: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<T>;
@group(0) @binding(3) var<uniform> p: Params;

fn start() -> T { return T(0); }
fn join(a: T, b: T) -> T { return a + b; }

// i counts chunks: those of neighbouring lines are neighbours.
fn each(i: u32) {
  let row = i / p.inner;
  let c = i - row * p.inner;
  let o = row / p.chunks;
  let chunk = row - o * p.chunks;
  let first = chunk * p.chunk;
  let last = min(first + p.chunk, p.length);
  let line = o * p.inner + c;
  var sum = start();
  if (has_carry) {
    if (chunk > 0u) { sum = carry[line * p.chunks + chunk - 1u]; }
  }
  for (var j = first; j < last; j++) {
    let at = (o * p.length + select(j, p.length - 1u - j, REVERSE)) * p.inner + c;
    sum = join(sum, x[at]);
    if (!TOTALS) { y[at] = sum; }
  }
  if (TOTALS) { y[line * p.chunks + chunk] = sum; }
}
