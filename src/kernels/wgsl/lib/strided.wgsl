// Where element i of a row-major walk over `shape` stands in memory with these strides: 0 repeats, and a negative one, in two's
// complement, walks backwards. `rank` is a constant of the kernel's: a loop of unknown length doubles the cost of an element
// on a software adapter.
fn walk(i: u32, rank: u32, shape: array<vec4u, 2>, strides: array<vec4u, 2>) -> u32 {
  var rest = i;
  var at = 0u;
  for (var d = rank - 1u; d > 0u; d--) {
    let size = shape[d / 4u][d % 4u];
    let quotient = rest / size;
    at += (rest - quotient * size) * strides[d / 4u][d % 4u];
    rest = quotient;
  }
  return at + rest * strides[0][0];
}
