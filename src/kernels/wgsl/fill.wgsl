// y[i] = value, i < n, as bits of any 4-byte type, n vectors of four. Traffic: n stores.
import package::lib::several;

struct Params { n: u32, value: u32 }
@group(0) @binding(0) var<storage, read_write> y: array<vec4u>;
@group(0) @binding(1) var<uniform> p: Params;

fn each(i: u32) { y[i] = vec4u(p.value); }
