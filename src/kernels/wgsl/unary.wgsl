// y[i] = f(x[i]), in n vectors of four; the last one may reach into the padding of its buffers.
// Traffic: n loads, n stores, in vectors: a software adapter charges half for those.
import package::lib::nan;
import package::lib::several;
alias T = f32;

struct Params { n: u32, a: f32, b: f32 }
@group(0) @binding(0) var<storage, read> x: array<vec4<T>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<T>>;
@group(0) @binding(2) var<uniform> p: Params;

fn f(x: T) -> T { return x; }

fn each(i: u32) {
  let s = x[i];
  y[i] = vec4<T>(f(s.x), f(s.y), f(s.z), f(s.w));
}
