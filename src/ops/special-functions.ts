// WGSL of special functions that rows of several tables are made of.

// erfc(|v|) = t exp(-v^2 + P(t)), t = 1 / (1 + |v| / 2), P of degree 9 fitted by Chebyshev polynomials: relative error below
// 1.2e-7 (Press et al., Numerical Recipes in C, 2nd edition, section 6.2).
export const ERFC = `let w = abs(v);
  let t = 1.0 / (1.0 + 0.5 * w);
  let tail = t * exp_nan(-w * w - 1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 + t *
    (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277)))))))));`;

// WGSL promises its sine and cosine to 5e-4, from -pi to pi alone: here are their Taylor series, to 1e-7. Of the angle between -pi/2 and pi/2 with the
// same ones as x but for the sign `turn`: the mantissa times 64 bits of
// 1 / (2 pi) from where their product counts parts of a turn (Payne and Hanek, Radian reduction for trigonometric
// functions, 1983), to 2e-9. NaN for infinities.
export const TURN = `let bits = bitcast<u32>(abs(x));
  let at = max(bits >> 23u, 118u) - 118u;
  let m = (bits & 0x7fffffu) | 0x800000u;
  var inverse = array(0u, 0x28be60dbu, 0x9391054au, 0x7f09d5f4u, 0x7d4d3770u, 0x36d8a566u, 0x4f10e410u, 0x7f9458eau);
  let w = min(at >> 5u, 5u);
  let s = at & 31u;
  let high = (inverse[w] << s) | ((inverse[w + 1u] >> 1u) >> (31u - s));
  let low = (inverse[w + 1u] << s) | ((inverse[w + 2u] >> 1u) >> (31u - s));
  let l = low >> 16u;
  let t = m >> 12u;
  let turns = m * high + ((t * l + (((m & 0xfffu) * l) >> 12u) + ((t * (low & 0xffffu)) >> 16u)) >> 4u);
  let turned = f32(bitcast<i32>(turns << 1u)) * 7.314590396e-10;
  let far = select(select(turned, -turned, x < 0.0), from_bits(0x7fc00000u), bits >= 0x7f800000u);
  let near = bits <= 0x3fc90fdbu;
  let angle = select(far, x, near);
  let turn = select(1.0, -1.0, !near && turns + 0x40000000u >= 0x80000000u);
  let q = angle * angle;`;

// log(1 + e), e in [0, 1], without losing a small e.
export const LOG1P = "select(log_nan(1.0 + e), e * (1.0 - e * (0.5 - e * (1.0 / 3.0 - e * 0.25))), e < 0.01)";

// A polynomial of Moshier's Cephes library for f32 (atanf).
/** `angle`: the arcus tangent of w, not negative. */
export const ATAN = `let steep = w > 2.414213562;
  let middle = w > 0.4142135624;
  let v = select(select(w, (w - 1.0) / (w + 1.0), middle), -1.0 / w, steep);
  let z = v * v;
  let angle = select(select(0.0, 0.7853981634, middle), 1.5707963268, steep) + v +
    (((8.05374449538e-2 * z - 1.38776856032e-1) * z + 1.99777106478e-1) * z - 3.33329491539e-1) * z * v;`;
/** NaN. */
export const NONE = "from_bits(0x7fc00000u)";
