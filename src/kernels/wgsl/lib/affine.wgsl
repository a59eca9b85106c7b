// Affine maps of pictures (torchvision's affine and rotate on tensors), and samples between their pixels.
// The kernel declares `fn pixel(c: u32, row: u32, column: u32) -> f32`.
// From a pixel of the output, relative to the picture's centre, to a point of the input: linear.xy x + linear.zw y + offset.
struct Map { linear: vec4f, offset: vec2f }

// Inverse of: move `centre` to the origin, shear, turn clockwise and scale, move back and by `shift`. Angles in radians; x
// first. https://pytorch.org/vision/stable/generated/torchvision.transforms.functional.affine.html
fn inverse_affine(angle: f32, shear: vec2f, scale: f32, shift: vec2f, centre: vec2f) -> Map {
  let a = cos(angle - shear.y) / cos(shear.y);
  let b = -a * tan(shear.x) - sin(angle);
  let c = sin(angle - shear.y) / cos(shear.y);
  let d = -c * tan(shear.x) + cos(angle);
  // Columns: what x and y contribute.
  let linear = vec4f(d, -c, -b, a) / scale;
  let back = -centre - shift;
  return Map(linear, linear.xy * back.x + linear.zw * back.y + centre);
}

fn has_pixel(row: i32, column: i32, size: vec2u) -> bool {
  return row >= 0 && row < i32(size.x) && column >= 0 && column < i32(size.y);
}

// Channel c at the point that an output pixel comes from, `fill` outside. size: (height, width). Between pixels inside and
// outside torchvision weighs the sum of those inside, which has zeros for the others, once more when it has a fill (`filled`).
fn sample(map: Map, c: u32, row: u32, column: u32, size: vec2u, bilinear: bool, filled: bool, fill: f32) -> f32 {
  let centre = 0.5 * vec2f(size.yx) - 0.5;
  let q = vec2f(vec2u(column, row)) - centre;
  let at = map.linear.xy * q.x + map.linear.zw * q.y + map.offset + centre;
  if (!bilinear) {
    let near = vec2i(round(at));
    if (!has_pixel(near.y, near.x, size)) { return fill; }
    return pixel(c, u32(near.y), u32(near.x));
  }
  let low = floor(at);
  let f = at - low;
  var sum = 0.0;
  var inside = 0.0;
  for (var k = 0u; k < 4u; k++) {
    let corner = vec2u(k & 1u, k >> 1u);
    let place = vec2i(low) + vec2i(corner);
    if (!has_pixel(place.y, place.x, size)) { continue; }
    let w = select(1.0 - f, f, corner == vec2u(1u));
    sum += w.x * w.y * pixel(c, u32(place.y), u32(place.x));
    inside += w.x * w.y;
  }
  if (!filled) { return sum; }
  return sum * inside + (1.0 - inside) * fill;
}
