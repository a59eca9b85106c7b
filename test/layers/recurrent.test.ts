// RNN, LSTM and GRU against PyTorch.
import { nn, type Tensor } from "wgrad";
import { withDevice } from "../support/case.ts";
import { type GoldenCase, goldenCases } from "../support/golden-layers.ts";

withDevice();

type Layer = nn.LSTM | nn.GRU | nn.RNN;
const withState = (m: Layer, [x, h, c]: Tensor[]) =>
  m instanceof nn.LSTM ? m.forward(x!, [h!, c!]) : m.forward(x!, h);

const kinds = { LSTM: nn.LSTM, GRU: nn.GRU, RNN: nn.RNN };
const cases: Record<string, GoldenCase> = {
  "RNN relu": { make: () => new nn.RNN(3, 4, { nonlinearity: "relu" }), inputs: [[4, 2, 3]] },
};
for (const [name, Kind] of Object.entries(kinds)) {
  const states = (...shape: number[]) => (name === "LSTM" ? [shape, shape] : [shape]);
  Object.assign(cases, {
    [name]: { make: () => new Kind(3, 5), inputs: [[4, 2, 3]] },
    [`${name} of width 4`]: { make: () => new Kind(3, 8), inputs: [[5, 6, 3]] },
    [`${name} with states`]: {
      make: () => new Kind(3, 4),
      inputs: [[4, 3, 3], ...states(1, 3, 4)],
      call: withState,
    },
    [`${name} two layers both ways`]: {
      make: () => new Kind(3, 4, { numLayers: 2, bidirectional: true, batchFirst: true }),
      inputs: [[2, 5, 3], ...states(4, 2, 4)],
      call: withState,
    },
    [`${name} without bias, one sequence`]: { make: () => new Kind(3, 4, { bias: false }), inputs: [[5, 3]] },
    [`${name} one step`]: { make: () => new Kind(2, 3), inputs: [[1, 1, 2]] },
  } satisfies Record<string, GoldenCase>);
}
goldenCases("recurrent", cases);
