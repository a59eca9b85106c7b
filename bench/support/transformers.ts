// The Transformers that are timed: ViT-Tiny on 32x32 images in patches of 4, and a language model of characters. peers/torch_cpu.py has
// the same, with the same names of parameters in the same order.
import { type CapturedStep, capture, cat, nn, optim, randn, type Tensor, tensor } from "wgrad";
import { labels, uniform } from "./formula.mjs";
import { loadFormula } from "./training.ts";

export type TransformerName = "vit" | "text";

const layers = (count: number, width: number, heads: number, dimFeedforward: number) =>
  new nn.ModuleList(
    Array.from(
      { length: count },
      () =>
        new nn.TransformerEncoderLayer(width, heads, {
          ...{ dimFeedforward, dropout: 0, activation: "gelu", batchFirst: true, normFirst: true },
        }),
    ),
  );

class VisionTransformer extends nn.Module {
  readonly cls = new nn.Parameter(randn([1, 1, 192]));
  readonly pos = new nn.Parameter(randn([1, 65, 192]));
  readonly patch = new nn.Conv2d(3, 192, 4, { stride: 4 });
  readonly layers = layers(12, 192, 3, 768);
  readonly norm = new nn.LayerNorm(192);
  readonly head = new nn.Linear(192, 10);

  override forward(x: Tensor): Tensor {
    const batch = x.shape[0] ?? 1;
    const patches = this.patch.forward(x).reshape([batch, 192, 64]).transpose(1, 2);
    let t: Tensor = cat([this.cls.expand([batch, 1, 192]), patches], 1).add(this.pos);
    for (const layer of this.layers) t = layer.forward(t);
    return this.head.forward(this.norm.forward(t).select(1, 0));
  }
}

const STEPS = 64;
const CHARACTERS = 65;

class TextTransformer extends nn.Module {
  readonly embedding = new nn.Parameter(randn([CHARACTERS, 128]));
  readonly pos = new nn.Parameter(randn([STEPS, 128]));
  readonly layers = layers(4, 128, 4, 512);
  readonly norm = new nn.LayerNorm(128);
  readonly head = new nn.Linear(128, CHARACTERS);
  readonly mask = this.registerBuffer("mask", nn.Transformer.generateSquareSubsequentMask(STEPS), {
    persistent: false,
  });

  /** ids: [batch * STEPS]; logits [batch * STEPS, CHARACTERS]. */
  override forward(ids: Tensor): Tensor {
    let t: Tensor = this.embedding.indexSelect(0, ids).reshape([-1, STEPS, 128]).add(this.pos);
    for (const layer of this.layers) t = layer.forward(t, { mask: this.mask });
    return this.head.forward(this.norm.forward(t)).reshape([-1, CHARACTERS]);
  }
}

/** A captured training step (Adam) from parameters by formula. */
export async function transformerStep(
  name: TransformerName,
  batch: number,
): Promise<{ step(): Tensor; dispose(): void }> {
  const model: nn.Module = name === "vit" ? new VisionTransformer() : new TextTransformer();
  await loadFormula(model);
  const n = name === "vit" ? batch : batch * STEPS;
  const x =
    name === "vit"
      ? tensor(uniform(batch * 3 * 32 * 32, 1000), { shape: [batch, 3, 32, 32] })
      : tensor(labels(n, 1000, CHARACTERS));
  const y = tensor(labels(n, 1001, name === "vit" ? 10 : CHARACTERS));
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-4 });
  const captured: CapturedStep<[Tensor, Tensor], Tensor> = capture((input: Tensor, target: Tensor) => {
    optimizer.zeroGrad();
    const loss = nn.functional.crossEntropy(model.forward(input), target);
    loss.backward();
    optimizer.step();
    return loss;
  });
  return {
    step: () => captured(x, y),
    dispose() {
      for (const owned of [captured, optimizer, model, x, y]) owned.dispose();
    },
  };
}
