// y[i] = f(y[i], b[i']), i < n, in place; i' follows b's broadcasting strides. Traffic: 2n loads, n stores.
import package::lib::several;
import package::lib::strided;
alias T = f32;
// Of the merged walk.
const RANK = 1u;

struct Params { n: u32, shape: array<vec4u, 2>, strides: array<vec4u, 2> }
@group(0) @binding(0) var<storage, read_write> y: array<T>;
@group(0) @binding(1) var<storage, read> b: array<T>;
@group(0) @binding(2) var<uniform> p: Params;

fn f(a: T, b: T) -> T { return a + b; }

fn each(i: u32) { y[i] = f(y[i], b[walk(i, RANK, p.shape, p.strides)]); }
