// y[i] = x[start + sum_d index_d(i) * stride_d], i < n: y is walked in order, x through strides. Moves bits, so one
// variant serves every 4-byte type. Traffic: n loads, n stores.
import package::lib::each;
import package::lib::strided;
// Of the merged walk.
const RANK = 1u;

struct Params { n: u32, start: u32, shape: array<vec4u, 2>, strides: array<vec4u, 2> }
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(2) var<uniform> p: Params;

fn each(i: u32) { y[i] = x[p.start + walk(i, RANK, p.shape, p.strides)]; }
