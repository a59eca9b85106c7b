// y[k] = finish(combine over j < length of each(x[kept(k) + reduced(j)])): kept(k) and reduced(j) walk the kept and the
// reduced dimensions of x through strides. A team of LANES invocations takes one output, or one of `splits` chunks of
// its elements, and meets in workgroup memory. Reduced dimensions beyond two (DEEP) are rare and looked up by division;
// otherwise the position advances by additions: `step` from one element to the next, and `wrap` after the inner dimension.
// Traffic: outputs * length loads, outputs * splits stores.
alias T = f32;
const WG = 64u;
const LANES = 64u;
const DEEP = false;
const IDENTITY = T(0);

struct Params {
  outputs: u32, splits: u32, chunk: u32, length: u32,
  inner: u32, inner_stride: u32, step_outer: u32, step_inner: u32,
  kept_rank: u32, outer_rank: u32, scale: f32, step: u32, wrap: u32,
  kept_shape: array<vec4u, 2>, kept_strides: array<vec4u, 2>,
  outer_shape: array<vec4u, 2>, outer_strides: array<vec4u, 2>,
}
@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<T>;
@group(0) @binding(2) var<uniform> p: Params;

var<workgroup> partial: array<T, WG>;

fn each(v: T) -> T { return v; }
fn combine(a: T, b: T) -> T { return a + b; }
fn finish(v: T) -> T { return v; }

fn kept(k: u32) -> u32 {
  var rest = k;
  var at = 0u;
  for (var d = p.kept_rank - 1u; d > 0u; d--) {
    let size = p.kept_shape[d / 4u][d % 4u];
    let quotient = rest / size;
    at += (rest - quotient * size) * p.kept_strides[d / 4u][d % 4u];
    rest = quotient;
  }
  return at + rest * p.kept_strides[0][0];
}

fn outer_offset(o: u32) -> u32 {
  var rest = o;
  var at = 0u;
  for (var d = p.outer_rank - 1u; d > 0u; d--) {
    let size = p.outer_shape[d / 4u][d % 4u];
    let quotient = rest / size;
    at += (rest - quotient * size) * p.outer_strides[d / 4u][d % 4u];
    rest = quotient;
  }
  return at + rest * p.outer_strides[0][0];
}

@compute @workgroup_size(WG)
fn main(
  @builtin(local_invocation_index) local: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let team = (group.x + group.y * groups.x) * (WG / LANES) + local / LANES;
  let lane = local % LANES;
  let live = team < p.outputs * p.splits;
  let k = team / p.splits;
  let first = (team - k * p.splits) * p.chunk;
  let end = select(0u, min(first + p.chunk, p.length), live);
  let base = kept(k);
  var j = first + lane;
  var o = j / p.inner;
  var i = j - o * p.inner;
  var at = base + outer_offset(o) + i * p.inner_stride;
  var acc = IDENTITY;
  while (j < end) {
    acc = combine(acc, each(x[at]));
    j += LANES;
    at += p.step;
    i += p.step_inner;
    if (DEEP) { o += p.step_outer; }
    if (i >= p.inner) {
      i -= p.inner;
      at += p.wrap;
      if (DEEP) { o++; }
    }
    if (DEEP) { at = base + outer_offset(o) + i * p.inner_stride; }
  }
  partial[local] = acc;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { partial[local] = combine(partial[local], partial[local + half]); }
  }
  if (lane == 0u && live) { y[team] = finish(partial[local]); }
}
