// y[i] = draw(philox4x32-10(counter = (first + i, 0, 0, seed_high), key = (seed_low, stream + shift))), in n vectors of four;
// the last one may reach into the padding of its buffer. Counter-based (Salmon et al., Parallel Random Numbers: As Easy as
// 1, 2, 3, SC 2011): integer arithmetic alone, so the same words on every adapter. `shift`, of stream and seed, lies in a
// buffer: a captured step draws new numbers when that is written. Traffic: n stores, in vectors.
import package::lib::each;
alias T = f32;

// a and b are the numbers of a draw of floats, low and range those of a draw of integers; scale and offset are put on what a draw
// made of them, which ends between least and most.
struct Params {
  n: u32, first: u32, seed_low: u32, seed_high: u32, stream: u32,
  a: f32, b: f32, low: u32, range: u32,
  scale: f32, offset: f32, least: f32, most: f32,
}
@group(0) @binding(0) var<storage, read> shift: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<T>>;
@group(0) @binding(2) var<uniform> p: Params;

// Four draws from four words of 32 random bits.
fn draw(r: vec4u) -> vec4<T> { return unit(r); }

// Uniform in [0, 1): the upper 24 bits, all that an f32 holds.
fn unit(r: vec4u) -> vec4f { return vec4f(r >> vec4u(8u)) * 5.9604644775390625e-8; }

// The upper and lower word of a * b.
fn multiply(a: u32, b: u32) -> vec2u {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let cross = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let carry = (a & 0xffffu) * (b >> 16u) + (cross & 0xffffu);
  return vec2u((a >> 16u) * (b >> 16u) + (cross >> 16u) + (carry >> 16u), a * b);
}

fn philox(counter: vec4u, key: vec2u) -> vec4u {
  var c = counter;
  var k = key;
  for (var round = 0u; round < 10u; round++) {
    let m0 = multiply(0xd2511f53u, c.x);
    let m1 = multiply(0xcd9e8d57u, c.z);
    c = vec4u(m1.x ^ c.y ^ k.x, m1.y, m0.x ^ c.w ^ k.y, m0.y);
    k += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}

fn each(i: u32) {
  let counter = vec4u(p.first + i, 0u, 0u, p.seed_high ^ shift[2]);
  y[i] = draw(philox(counter, vec2u(p.seed_low ^ shift[1], p.stream + shift[0])));
}
