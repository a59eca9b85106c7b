// Windows of a map's rows by vectors of four neighbours: of a row whose vectors begin at `line`, vector w with one vector on either
// side, zeros outside of the map. Reach of a kernel to either side: at most four positions.
fn row_window(line: u32, w: u32, width: u32, inside: bool) -> array<f32, 12> {
  let m = select(vec4f(), source[line + w], inside);
  let l = select(vec4f(), source[line + max(w, 1u) - 1u], inside && w > 0u);
  let r = select(vec4f(), source[line + min(w + 1u, width - 1u)], inside && w + 1u < width);
  return array<f32, 12>(l.x, l.y, l.z, l.w, m.x, m.y, m.z, m.w, r.x, r.y, r.z, r.w);
}
