// NaN and infinities as IEEE has them. WGSL lets compilers assume that neither occurs, so that comparisons with NaN, and max and
// min of it, give what they like: it is told by its bits.
fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }

// Above 0, infinity included, and below 0 or -0, negative infinity included; NaN is neither. By bits, too.
fn is_positive(x: f32) -> bool { return bitcast<u32>(x) - 1u < 0x7f800000u; }
fn is_negative(x: f32) -> bool { return bitcast<u32>(x) - 0x80000000u < 0x7f800001u; }

// The f32 with these bits. A call, since a constant must not be infinite.
fn from_bits(bits: u32) -> f32 { return bitcast<f32>(bits); }

// The larger and the smaller one of a and b, NaN where one of them is.
fn max_nan(a: f32, b: f32) -> f32 { return select(max(a, b), a + b, is_nan(a) || is_nan(b)); }
fn min_nan(a: f32, b: f32) -> f32 { return select(min(a, b), a + b, is_nan(a) || is_nan(b)); }

// x between finite bounds; NaN stays.
fn clamp_nan(x: f32, low: f32, high: f32) -> f32 { return select(clamp(x, low, high), x, is_nan(x)); }

// Adapters may give what they like for NaN, and for the logarithm of what is not positive and finite.
fn exp_nan(x: f32) -> f32 { return select(exp(x), x, is_nan(x)); }
fn exp2_nan(x: f32) -> f32 { return select(exp2(x), x, is_nan(x)); }
fn log_nan(x: f32) -> f32 { return logarithm(x, log(x)); }
fn log2_nan(x: f32) -> f32 { return logarithm(x, log2(x)); }
// y where x is positive and finite, else what any logarithm of x is.
fn logarithm(x: f32, y: f32) -> f32 {
  if (is_nan(x) || x < 0.0) { return from_bits(0x7fc00000u); }
  if (x == 0.0) { return from_bits(0xff800000u); }
  return select(y, x, bitcast<u32>(x) == 0x7f800000u);
}

// a to the power of b, by C's rules. WGSL's pow takes no negative base: |a|^b, with the sign that a whole exponent gives.
fn power(a: f32, b: f32) -> f32 {
  if (b == 0.0 || a == 1.0) { return 1.0; }
  if (is_nan(a) || is_nan(b)) { return from_bits(0x7fc00000u); }
  let inf = from_bits(0x7f800000u);
  let w = abs(a);
  let endless = w == 0.0 || w == inf || abs(b) == inf;
  // From 2^23 on all numbers are whole, from 2^24 on even.
  if (a < 0.0 && !endless && floor(b) != b) { return from_bits(0x7fc00000u); }
  let odd = abs(b) < 16777216.0 && fract(b * 0.5) == 0.5;
  let bound = select(0.0, inf, (w > 1.0) == (b > 0.0));
  let m = select(select(exp2(b * log2(w)), bound, endless), 1.0, w == 1.0);
  return select(m, -m, is_negative(a) && odd);
}
