// Attention and the Transformer's layers against PyTorch, and what else is to be held of them.
import { afterEach, expect, test } from "vitest";
import {
  capture,
  cat,
  DtypeError,
  manualSeed,
  nn,
  ones,
  optim,
  randn,
  ShapeError,
  scope,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from "wgrad";
import { packedAttention } from "../../src/ops/packed-attention.ts";
import { withDevice } from "../support/case.ts";
import { type GoldenCase, goldenCases, wave } from "../support/golden-layers.ts";

withDevice();

/** What a test makes, freed behind it. */
const made: { dispose(): void }[] = [];
const own = <T extends { dispose(): void }>(t: T): T => {
  made.push(t);
  return t;
};
afterEach(() => {
  for (const t of made.splice(0)) t.dispose();
});

const attention = (...given: Parameters<typeof nn.functional.scaledDotProductAttention>): Tensor =>
  nn.functional.scaledDotProductAttention(...given);
type Options = nn.functional.AttentionOptions;

const mask = (shape: number[], holds: (i: number) => boolean): Tensor => {
  const values = Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Number(holds(i)));
  return own(tensor(values, { shape, dtype: "i32" }));
};
/** What comes behind a query. */
const later = (n: number) => mask([n, n], (i) => i % n > Math.floor(i / n));

const of = (inputs: GoldenCase["inputs"], options: () => Options = () => ({})): GoldenCase => ({
  inputs,
  call: (_, [q, k, v, added]: Tensor[]) => attention(q!, k!, v!, { ...(added && { mask: added }), ...options() }),
});
/** Of queries, keys and values of two heads side by side. */
const packed = (qkv: number[], masked: number[] | (() => Tensor)): GoldenCase => ({
  inputs: [qkv, masked],
  call: (_, [x, added]: Tensor[]) => packedAttention(x!, 2, added!),
});
const whole = ([y, weights]: [Tensor, Tensor | null]) => (weights ? [y, weights] : [y]);
const mha = (
  inputs: GoldenCase["inputs"],
  options: nn.MultiheadAttentionOptions & { heads?: number },
  masks: (inputs: Tensor[]) => nn.AttentionMasks,
  order: [number, number, number] = [0, 0, 0],
): GoldenCase => {
  const { heads = 2, ...rest } = options;
  return {
    make: () => new nn.MultiheadAttention(6, heads, rest),
    inputs,
    call: (m: nn.MultiheadAttention, xs: Tensor[]) => {
      const [q, k, v] = order.map((i) => xs[i]!) as [Tensor, Tensor, Tensor];
      return whole(m.forward(q, k, v, masks(xs)));
    },
  };
};
const bare = () => ({ needWeights: false });
const layer = { dimFeedforward: 8, dropout: 0 };

goldenCases("attention", {
  attention: of([
    [2, 3, 5, 4],
    [2, 3, 7, 4],
    [2, 3, 7, 6],
  ]),
  "attention without batch": of([
    [5, 4],
    [6, 4],
    [6, 3],
  ]),
  "attention over more leading dimensions": of([
    [2, 1, 3, 4, 5],
    [2, 2, 1, 6, 5],
    [2, 2, 3, 6, 5],
  ]),
  "attention, causal": of(
    [
      [2, 6, 4],
      [2, 6, 4],
      [2, 6, 4],
    ],
    () => ({ isCausal: true }),
  ),
  "attention, causal with fewer keys": of(
    [
      [2, 7, 4],
      [2, 4, 4],
      [2, 4, 4],
    ],
    () => ({ isCausal: true, scale: 0.3 }),
  ),
  "attention, mask by key": of(
    [
      [2, 3, 5, 4],
      [2, 3, 7, 4],
      [2, 3, 7, 4],
    ],
    () => ({ mask: mask([2, 1, 1, 7], (i) => i % 3 !== 1) }),
  ),
  "attention, added mask": of([
    [2, 3, 5, 4],
    [2, 3, 7, 4],
    [2, 3, 7, 4],
    [3, 1, 7],
  ]),
  "attention, added mask of a batch": of([
    [2, 2, 2, 3, 4],
    [2, 2, 2, 3, 4],
    [2, 2, 2, 3, 4],
    [2, 2, 1, 3, 3],
  ]),
  "attention, rows of nothing": of(
    [
      [3, 4],
      [5, 4],
      [5, 4],
    ],
    () => ({ mask: mask([3, 5], (i) => Math.floor(i / 5) !== 1) }),
  ),
  "attention of 65 tokens": of([
    [1, 65, 4],
    [1, 65, 4],
    [1, 65, 4],
  ]),
  "packed attention, a mask for all": packed([4, 5, 18], [1, 2, 5, 5]),
  "packed attention, a mask that begins again": packed([6, 5, 18], [3, 2, 5, 5]),
  "packed attention, a mask of all heads that begins again": packed([6, 4, 12], [2, 1, 4, 4]),
  "packed attention, a mask for each batch": packed([3, 5, 12], [3, 1, 5, 5]),
  "packed attention, seen keys that begin again": packed([4, 5, 12], () => mask([2, 1, 5, 5], (i) => i % 3 !== 1)),

  MHA: mha([[5, 2, 6]], {}, () => ({})),
  "MHA, batch first, no weights": mha([[2, 5, 6]], { heads: 3, batchFirst: true }, bare),
  "MHA of one sequence": mha([[5, 6]], {}, bare),
  "MHA of one sequence, weights by head": mha(
    [
      [5, 6],
      [4, 6],
    ],
    {},
    () => ({ averageAttnWeights: false }),
    [0, 1, 1],
  ),
  "MHA over another sequence": mha(
    [
      [2, 3, 6],
      [2, 5, 6],
    ],
    { batchFirst: true },
    bare,
    [0, 1, 1],
  ),
  "MHA of three": mha(
    [
      [3, 2, 6],
      [5, 2, 6],
      [5, 2, 6],
    ],
    {},
    bare,
    [0, 1, 2],
  ),
  "MHA of other widths, without bias": mha(
    [
      [2, 3, 6],
      [2, 5, 4],
      [2, 5, 3],
    ],
    { bias: false, kdim: 4, vdim: 3, batchFirst: true },
    bare,
    [0, 1, 2],
  ),
  "MHA, masks": mha([[2, 5, 6]], { batchFirst: true }, () => ({
    attnMask: later(5),
    keyPaddingMask: mask([2, 5], (i) => i % 5 === 3),
  })),
  "MHA, masks, no weights": mha([[2, 5, 6]], { batchFirst: true }, () => ({
    needWeights: false,
    attnMask: later(5),
    keyPaddingMask: mask([2, 5], (i) => i % 5 === 3),
  })),
  "MHA, added mask by head": mha(
    [
      [3, 2, 6],
      [4, 3, 3],
    ],
    {},
    ([, attnMask]) => ({ needWeights: false, attnMask: attnMask! }),
  ),
  "MHA with learned and zero keys": mha(
    [
      [3, 2, 6],
      [4, 2, 6],
    ],
    { addBiasKv: true, addZeroAttn: true },
    () => ({ keyPaddingMask: mask([2, 4], (i) => i === 2) }),
    [0, 1, 1],
  ),

  EncoderLayer: { make: () => new nn.TransformerEncoderLayer(6, 2, layer), inputs: [[4, 2, 6]] },
  "EncoderLayer, norm first, gelu, causal": {
    make: () =>
      new nn.TransformerEncoderLayer(6, 2, { ...layer, normFirst: true, activation: "gelu", batchFirst: true }),
    inputs: [[2, 4, 6]],
    call: (m: nn.TransformerEncoderLayer, [x]) =>
      m.forward(x!, { mask: later(4), keyPaddingMask: mask([2, 4], (i) => i === 7) }),
  },
  "Encoder of two layers with a norm": {
    make: () => new nn.TransformerEncoder(own(new nn.TransformerEncoderLayer(6, 2, layer)), 2, new nn.LayerNorm(6)),
    inputs: [[4, 2, 6]],
    call: (m: nn.TransformerEncoder, [x]) => m.forward(x!, { mask: later(4) }),
  },
  DecoderLayer: {
    make: () => new nn.TransformerDecoderLayer(6, 2, layer),
    inputs: [
      [4, 2, 6],
      [3, 2, 6],
    ],
    call: (m: nn.TransformerDecoderLayer, [x, memory]) =>
      m.forward(x!, memory!, { tgtMask: later(4), memoryKeyPaddingMask: mask([2, 3], (i) => i === 4) }),
  },
  "DecoderLayer, norm first": {
    make: () => new nn.TransformerDecoderLayer(6, 2, { ...layer, normFirst: true, batchFirst: true }),
    inputs: [
      [2, 4, 6],
      [2, 3, 6],
    ],
  },
  "Decoder of two layers": {
    make: () => new nn.TransformerDecoder(own(new nn.TransformerDecoderLayer(6, 2, layer)), 2, new nn.LayerNorm(6)),
    inputs: [
      [4, 1, 6],
      [3, 1, 6],
    ],
  },
  Transformer: {
    make: () => new nn.Transformer({ dModel: 6, nhead: 2, numEncoderLayers: 1, numDecoderLayers: 1, ...layer }),
    inputs: [
      [3, 2, 6],
      [4, 2, 6],
    ],
    call: (m: nn.Transformer, [source, target]) =>
      m.forward(source!, target!, { tgtMask: own(nn.Transformer.generateSquareSubsequentMask(4)) }),
  },
});

test("names and shapes of the parameters are PyTorch's", () => {
  const names = (m: nn.MultiheadAttention) =>
    [...own(m).namedParameters()].map(([name, { shape }]) => `${name} ${shape}`);
  expect(names(new nn.MultiheadAttention(6, 2, { addBiasKv: true }))).toEqual([
    "in_proj_weight 18,6",
    "in_proj_bias 18",
    "bias_k 1,1,6",
    "bias_v 1,1,6",
    "out_proj.weight 6,6",
    "out_proj.bias 6",
  ]);
  expect(names(new nn.MultiheadAttention(6, 2, { bias: false, kdim: 4 }))).toEqual([
    "q_proj_weight 6,6",
    "k_proj_weight 6,4",
    "v_proj_weight 6,6",
    "out_proj.weight 6,6",
  ]);
});

test("projections start by Xavier's uniform rule, biases at 0", async () => {
  manualSeed(1);
  const m = own(new nn.MultiheadAttention(32, 4));
  const values = await m.inProjWeight!.data();
  const bound = Math.sqrt(6 / (4 * 32));
  const largest = Math.max(...values.map(Math.abs));
  expect(largest).toBeLessThanOrEqual(bound);
  expect(largest).toBeGreaterThan(0.95 * bound);
  expect([...(await m.inProjBias!.data()), ...(await m.outProj.bias!.data())].every((x) => x === 0)).toBe(true);
});

test("dropout zeroes a share of the weights and scales the others; a captured step draws anew", async () => {
  manualSeed(3);
  // Equal scores, and values that tell which keys take part.
  const [q, k] = [own(zeros([64, 4])), own(ones([32, 4]))];
  const eye = own(
    tensor(
      Float32Array.from({ length: 32 * 32 }, (_, i) => Number(i % 33 === 0)),
      { shape: [32, 32] },
    ),
  );
  const step = own(capture((x: Tensor) => attention(x, k, eye, { dropoutP: 0.25 })));
  const [first, second] = [await own(step(q)).data(), await own(step(q)).data()];
  expect(first).not.toEqual(second);
  for (const weights of [first, second]) {
    const kept = weights.filter((w) => w !== 0);
    for (const w of kept) expect(w).toBeCloseTo(1 / 32 / 0.75, 6);
    expect(kept.length / weights.length).toBeGreaterThan(0.7);
    expect(kept.length / weights.length).toBeLessThan(0.8);
  }
  expect((await own(attention(q, k, eye, { dropoutP: 1 })).data()).every((w) => w === 0)).toBe(true);
});

test("gradients pass through the weights that dropout left alone", async () => {
  manualSeed(5);
  const [q, k, v] = [1, 2, 3].map((i) => own(wave([6, 4], i))) as [Tensor, Tensor, Tensor];
  v.requiresGrad = true;
  const y = own(attention(q, k, v, { dropoutP: 0.5 }));
  y.backward(own(ones([6, 4])));
  // y is linear in v, so <v, dv> is the sum of y.
  const [values, dv] = [await v.data(), await v.grad!.data()];
  const along = [...values].reduce((sum, x, i) => sum + x * dv[i]!, 0);
  expect(along).toBeCloseTo(
    [...(await y.data())].reduce((a, b) => a + b, 0),
    4,
  );
});

test("heads whose scores are too many for memory at once give what they give one by one", async () => {
  const [heads, n] = [2, 1500];
  const results = scope(() => {
    const inputs = [1, 2, 3].map((i) => wave([heads, n, 4], i).requiresGrad_()) as [Tensor, Tensor, Tensor];
    const dy = wave([heads, n, 4], 4);
    const of = (given: [Tensor, Tensor, Tensor], seed: Tensor): Tensor[] => {
      const y = attention(...given);
      y.backward(seed);
      return [y.detach(), ...given.map((t) => t.grad!.clone())];
    };
    const one = (t: Tensor, h: number) => t.detach().narrow(0, h, 1).clone();
    const parts = [0, 1].map((h) =>
      of(inputs.map((t) => one(t, h).requiresGrad_()) as [Tensor, Tensor, Tensor], one(dy, h)),
    );
    return of(inputs, dy).flatMap((whole, i) => [whole, cat(parts.map((part) => part[i]!))]);
  });
  for (let i = 0; i < results.length; i += 2) {
    const [whole, parts] = [own(results[i]!), own(results[i + 1]!)];
    expect(await whole.data()).toEqual(await parts.data());
  }
});

test("a mask begins again in the midst of a batch whose scores are too many for memory at once", async () => {
  const [batch, n, width] = [4, 1100, 4];
  const results = scope(() => {
    const qkv = wave([batch, n, 3 * width], 1).requiresGrad_();
    const added = wave([2, 1, n, n], 2).requiresGrad_();
    const dy = wave([batch, n, width], 3);
    const y = packedAttention(qkv, 1, added);
    y.backward(dy);
    const given = [qkv.detach().clone(), added.detach().clone()].map((t) => t.requiresGrad_()) as [Tensor, Tensor];
    const [q, k, v] = given[0].reshape([batch, 1, n, 3 * width]).split(width, -1) as [Tensor, Tensor, Tensor];
    const apart = attention(q, k, v, { mask: cat([given[1], given[1]]) });
    apart.backward(dy.reshape([batch, 1, n, width]));
    const pairs: [Tensor, Tensor][] = [
      [y, apart],
      [qkv.grad!, given[0].grad!],
      [added.grad!, given[1].grad!],
    ];
    return pairs.map(([a, b]) => [a.detach().sub(b.detach().reshape(a.shape)).abs().max(), b.abs().max()]);
  });
  for (const [error, size] of results) expect(await own(error!).item()).toBeLessThan(1e-5 * (await own(size!).item()));
});

test.each(["eager", "captured"])("a Transformer learns to copy a sequence backwards: %s", async (how) => {
  manualSeed(2);
  const like = own(new nn.TransformerEncoderLayer(16, 2, { dimFeedforward: 32, dropout: 0.05, batchFirst: true }));
  const encoder = own(new nn.TransformerEncoder(like, 2));
  const place = own(new nn.Parameter(randn([6, 16])));
  const x = own(randn([16, 6, 16]));
  const target = own(x.flip(1));
  const opt = own(new optim.Adam([...encoder.parameters(), place], { lr: 0.01 }));
  const step = (input: Tensor) => {
    opt.zeroGrad();
    const loss = nn.functional.mseLoss(encoder.forward(input.add(place)), target);
    loss.backward();
    opt.step();
    return loss.detach();
  };
  const run = how === "captured" ? own(capture(step)) : (input: Tensor) => scope(() => step(input));
  const losses: number[] = [];
  for (let i = 0; i < 30; i++) {
    const loss = run(x);
    losses.push(await loss.item());
    loss.dispose();
  }
  expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2);
});

test("wrong arguments are told", () =>
  scope(() => {
    const x = ones([2, 3, 4]);
    expect(() => attention(x, ones([2, 3, 5]), x)).toThrow(ShapeError);
    expect(() => attention(x, x, ones([2, 4, 4]))).toThrow(ShapeError);
    expect(() => attention(x, x, x, { mask: ones([2, 3]) })).toThrow(ShapeError);
    expect(() => attention(x, x, x, { mask: later(3), isCausal: true })).toThrow(ValueError);
    expect(() => attention(x, x.to("i32"), x)).toThrow(DtypeError);
    expect(() => new nn.MultiheadAttention(6, 4)).toThrow(ValueError);
    const m = own(new nn.MultiheadAttention(4, 2));
    expect(() => m.forward(x, ones([2, 2, 4]), x)).toThrow(ShapeError);
    expect(() => m.forward(x, x, x, { attnMask: later(3) })).toThrow(ShapeError);
    expect(() => m.forward(x, x, x, { keyPaddingMask: later(3) })).toThrow(ShapeError);
    expect(() => new nn.TransformerEncoderLayer(4, 2, { activation: "tanh" as "relu" })).toThrow(ValueError);
  }));
