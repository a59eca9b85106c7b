// RNN, LSTM and GRU against PyTorch.
import { expect, test } from "vitest";
import { capture, manualSeed, nn, optim, randn, ShapeError, scope, type Tensor, ValueError } from "wgrad";
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

test.each(["eager", "captured"])("a GRU and an LSTM learn to tell sequences by their first step: %s", async (how) => {
  manualSeed(4);
  const [gru, lstm] = [new nn.GRU(3, 8), new nn.LSTM(8, 8, { bidirectional: true })];
  const head = new nn.Linear(16, 1);
  const x = randn([6, 16, 3]);
  const target = scope(() => x.select(0, 0).select(1, 0).gt(0).to("f32"));
  const parameters = [gru, lstm, head].flatMap((m) => [...m.parameters()]);
  const opt = new optim.Adam(parameters, { lr: 0.05 });
  const step = (input: Tensor) => {
    opt.zeroGrad();
    const [y] = lstm.forward(gru.forward(input)[0]);
    const logits = head.forward(y.select(0, -1)).squeeze(1);
    const loss = nn.functional.binaryCrossEntropyWithLogits(logits, target);
    loss.backward();
    opt.step();
    return loss.detach();
  };
  const run = how === "captured" ? capture(step) : (input: Tensor) => scope(() => step(input));
  let last = Number.NaN;
  for (let i = 0; i < 40; i++) {
    const loss = run(x);
    last = await loss.item();
    loss.dispose();
  }
  expect(last).toBeLessThan(0.1);
  if ("dispose" in run) (run as { dispose(): void }).dispose();
  for (const t of [opt, x, target, ...parameters]) t.dispose();
});

test("sizes, states and options that do not fit are told", () => {
  expect(() => new nn.LSTM(0, 4)).toThrow(ValueError);
  expect(() => new nn.GRU(3, 4, { dropout: 2 })).toThrow(/dropout/);
  expect(() => new nn.RNN(3, 4, { nonlinearity: "gelu" as never })).toThrow(/"tanh" or "relu"/);
  const lstm = new nn.LSTM(3, 4, { numLayers: 2 });
  const [x, h] = [randn([5, 2, 3]), randn([2, 2, 4])];
  expect(() => lstm.forward(h)).toThrow(/LSTM.*\[2, 2, 4\].*\[steps, batch, 3\]/);
  expect(() => lstm.forward(x, [x, h])).toThrow(ShapeError);
  expect(String(lstm)).toBe("LSTM(3, 4, numLayers: 2)");
  lstm.dispose();
  for (const t of [x, h]) t.dispose();
});
