// y[i] = c[i'] != 0 ? a[i"] : b[i'''], i < n, each operand through its own broadcasting strides. Moves bits; `truth` masks
// the bits of c that count (all but the sign of an f32, since -0 is false). Traffic: 3n loads, n stores.
import package::lib::several;
import package::lib::strided;
// Of the merged walk.
const RANK = 1u;

struct Params {
  n: u32, truth: u32,
  shape: array<vec4u, 2>, sc: array<vec4u, 2>, sa: array<vec4u, 2>, sb: array<vec4u, 2>,
}
@group(0) @binding(0) var<storage, read> c: array<u32>;
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read> b: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<u32>;
@group(0) @binding(4) var<uniform> p: Params;

fn each(i: u32) {
  let holds = (c[walk(i, RANK, p.shape, p.sc)] & p.truth) != 0u;
  y[i] = select(b[walk(i, RANK, p.shape, p.sb)], a[walk(i, RANK, p.shape, p.sa)], holds);
}
