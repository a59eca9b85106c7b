// y[i] = the i-th half of x as f32, i < n: two halves a word of x. Traffic: n loads, n stores.
import package::lib::each;

struct Params { n: u32 }
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

fn each(i: u32) { y[i] = unpack2x16float(x[i / 2u])[i & 1u]; }
