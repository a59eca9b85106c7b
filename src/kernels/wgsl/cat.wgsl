// y[row * pitch + offset + j] = x[row * width + j], j < width: the n elements of one operand of a concatenation, as
// bits, with T = vec4u four at a time.
// Traffic: n loads, n stores.
import package::lib::several;
alias T = u32;

struct Params { n: u32, width: u32, pitch: u32, offset: u32 }
@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<T>;
@group(0) @binding(2) var<uniform> p: Params;

fn each(i: u32) {
  let row = i / p.width;
  y[row * (p.pitch - p.width) + i + p.offset] = x[i];
}
