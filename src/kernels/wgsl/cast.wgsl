// y[i] = x[i] as another 4-byte type, i < n. WGSL's conversion of floats rounds toward zero and saturates.
// Traffic: n loads, n stores.
import package::lib::each;
alias T = f32;
alias R = i32;

struct Params { n: u32 }
@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<R>;
@group(0) @binding(2) var<uniform> p: Params;

fn each(i: u32) { y[i] = R(x[i]); }
