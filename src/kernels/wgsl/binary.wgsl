// y[i] = f(a[i'], b[i"]), i < n, where i' and i" follow the broadcasting strides (0 along a repeated dimension); dimensions that
// need no broadcasting of their own are merged first, mostly into one. Traffic: 2n loads, n stores.
import package::lib::nan;
import package::lib::several;
import package::lib::strided;
alias T = f32;
alias R = f32;
// Of the merged walk.
const RANK = 1u;

struct Params { n: u32, shape: array<vec4u, 2>, sa: array<vec4u, 2>, sb: array<vec4u, 2> }
@group(0) @binding(0) var<storage, read> a: array<T>;
@group(0) @binding(1) var<storage, read> b: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<R>;
@group(0) @binding(3) var<uniform> p: Params;

fn f(a: T, b: T) -> R { return a + b; }

fn each(i: u32) { y[i] = f(a[walk(i, RANK, p.shape, p.sa)], b[walk(i, RANK, p.shape, p.sb)]); }
