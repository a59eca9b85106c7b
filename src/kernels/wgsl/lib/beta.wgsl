// A number of the distribution Beta(a, a) from uniform ones, u[at] to u[at + 43]: the kernel binds `u`. The share of two Gamma
// variates (Marsaglia and Tsang, 2000, seven attempts each, of which more than 95 % succeed), in logarithms: of small a, the
// variates themselves are below the least float.
fn log_gamma_variate(at: u32, a: f32) -> f32 {
  let d = select(a, a + 1.0, a < 1.0) - 1.0 / 3.0;
  var log_v = 0.0;
  for (var k = 0u; k < 7u; k++) {
    let i = at + 3u * k;
    let x = sqrt(-2.0 * log(1.0 - u[i])) * cos(6.283185307 * u[i + 1u]);
    let root = 1.0 + x / sqrt(9.0 * d);
    if (root <= 0.0) { continue; }
    let v = root * root * root;
    if (log(1.0 - u[i + 2u]) < 0.5 * x * x + d - d * v + d * log(v)) {
      log_v = log(v);
      break;
    }
  }
  return log(d) + log_v + select(0.0, log(1.0 - u[at + 21u]) / a, a < 1.0);
}

fn beta_variate(at: u32, a: f32) -> f32 {
  // Farther apart, exp is infinite and the share 0 or 1 all the same.
  let difference = clamp(log_gamma_variate(at + 22u, a) - log_gamma_variate(at, a), -80.0, 80.0);
  return 1.0 / (1.0 + exp(difference));
}
