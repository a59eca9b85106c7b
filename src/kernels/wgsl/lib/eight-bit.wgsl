// An 8-bit picture's values as floats in [0, 1]. The kernel's T is f32, which holds such floats, or an integer type.
alias T = f32;
const IS_INTEGER = false;

fn unit_of(v: T) -> f32 {
  if (IS_INTEGER) { return f32(v) / 255.0; }
  return f32(v);
}

// The nearest of the 256 levels, a half rounded up.
fn nearest_level(v: f32) -> f32 { return floor(clamp(v, 0.0, 1.0) * 255.0 + 0.5) / 255.0; }
