// What MixUp and CutMix do to a batch. The kernel binds `u`, and its Params have `alpha`, `height` and `width`.
import package::lib::beta;
const CUT = false;

// share: what a picture keeps of itself. window: the rows and columns [low, high) that CutMix takes from the neighbour.
struct Mix { share: f32, low: vec2u, high: vec2u }

fn mix_of() -> Mix {
  let share = beta_variate(0u, p.alpha);
  if (!CUT) { return Mix(share, vec2u(), vec2u()); }
  let size = vec2f(vec2u(p.height, p.width));
  let centre = min(floor(vec2f(u[44u], u[45u]) * size), size - 1.0);
  let half = floor(0.5 * sqrt(1.0 - share) * size);
  let low = max(centre - half, vec2f());
  let high = min(centre + half, size);
  let area = (high - low) / size;
  return Mix(1.0 - area.x * area.y, vec2u(low), vec2u(high));
}
