// NaN and infinities as IEEE has them. WGSL lets compilers assume that neither occurs, so that comparisons with NaN, and max and
// min of it, give what they like: it is told by its bits.
fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }

// The f32 with these bits. A call, since a constant must not be infinite.
fn from_bits(bits: u32) -> f32 { return bitcast<f32>(bits); }

// The larger and the smaller one of a and b, NaN where one of them is.
fn max_nan(a: f32, b: f32) -> f32 { return select(max(a, b), a + b, is_nan(a) || is_nan(b)); }
fn min_nan(a: f32, b: f32) -> f32 { return select(min(a, b), a + b, is_nan(a) || is_nan(b)); }

// x between finite bounds; NaN stays.
fn clamp_nan(x: f32, low: f32, high: f32) -> f32 { return select(clamp(x, low, high), x, is_nan(x)); }
