// y[to(i)] = x[from(i)], i < n: both walk `shape` through strides, from a start. Bound are windows of x and of y, from which the
// starts count (modulo 2^32); what stands outside of either is left to the launch for another pair of windows.
// Moves bits, with T = vec4u four at a time. Traffic: n loads, n stores, over all launches.
import package::lib::several;
import package::lib::strided;
alias T = u32;
// Of the merged walk.
const RANK = 1u;

struct Params {
  n: u32, x_start: u32, x_count: u32, y_start: u32, y_count: u32,
  shape: array<vec4u, 2>, x_strides: array<vec4u, 2>, y_strides: array<vec4u, 2>,
}
@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<T>;
@group(0) @binding(2) var<uniform> p: Params;

fn each(i: u32) {
  let a = p.x_start + walk(i, RANK, p.shape, p.x_strides);
  let b = p.y_start + walk(i, RANK, p.shape, p.y_strides);
  if (a < p.x_count && b < p.y_count) { y[b] = x[a]; }
}
