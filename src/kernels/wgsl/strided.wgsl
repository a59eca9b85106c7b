// y[i] = x[start + sum_d index_d(i) * stride_d], i < n: y is walked in order, x through strides. Moves bits, so one
// variant serves every 4-byte type. Where rows of the walk are multiples of four, y holds vectors of four, which cost little
// more than one element; what `load` joins in them lies side by side in x, stands `inner` apart, or is one element.
// Traffic: n loads, n stores.
import package::lib::several;
import package::lib::strided;
alias X = u32;
alias Y = u32;
// Of the merged walk.
const RANK = 1u;

struct Params { n: u32, start: u32, inner: u32, shape: array<vec4u, 2>, strides: array<vec4u, 2> }
@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read_write> y: array<Y>;
@group(0) @binding(2) var<uniform> p: Params;

fn load(at: u32) -> Y { return Y(x[at]); }

fn each(i: u32) { y[i] = load(p.start + walk(i, RANK, p.shape, p.strides)); }
