// What MixUp and CutMix do to a batch. The kernel binds `u`, and its Params have `alpha`, `height` and `width`.
import package::lib::beta;
const CUT = false;

// share: what a picture keeps of itself. window: the rows and columns [from, to) that CutMix takes from the neighbour.
struct Mix { share: f32, from: vec2u, to: vec2u }

fn mix_of() -> Mix {
  let share = beta_variate(0u, p.alpha);
  if (!CUT) { return Mix(share, vec2u(), vec2u()); }
  let size = vec2f(vec2u(p.height, p.width));
  let centre = min(floor(vec2f(u[44u], u[45u]) * size), size - 1.0);
  let half = floor(0.5 * sqrt(1.0 - share) * size);
  let from = max(centre - half, vec2f());
  let to = min(centre + half, size);
  let area = (to - from) / size;
  return Mix(1.0 - area.x * area.y, vec2u(from), vec2u(to));
}
