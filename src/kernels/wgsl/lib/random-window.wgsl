// Ten attempts at a window of random area and proportions (torchvision's RandomResizedCrop and RandomErasing). The kernel
// binds random numbers `u`.
// (top, left, height, width) of the first that fits into `most`, at a random place of `size`; all 0 where none does. Of an
// attempt, the area is size.x size.y (area.x + u area.y), and width / height is exp(ratio.x + u ratio.y). Takes 22 numbers.
fn random_window(at: u32, size: vec2u, most: vec2u, least: u32, area: vec2f, ratio: vec2f) -> vec4u {
  let whole = f32(size.x) * f32(size.y);
  for (var k = 0u; k < 10u; k++) {
    let share = whole * (area.x + u[at + 2u * k] * area.y);
    let proportion = exp(ratio.x + u[at + 2u * k + 1u] * ratio.y);
    let window = vec2u(round(sqrt(vec2f(share / proportion, share * proportion))));
    if (all(window >= vec2u(least)) && all(window <= most)) {
      let room = vec2f(size - window + 1u);
      let place = min(floor(vec2f(u[at + 20u], u[at + 21u]) * room), room - 1.0);
      return vec4u(vec2u(place), window);
    }
  }
  return vec4u();
}
