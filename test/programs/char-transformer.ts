// A character model: four causal transformer blocks, as nanoGPT has them.
import { arange, nn, optim, type Tensor } from "wgrad";
import { type Program, whole } from "./program.ts";

const F = nn.functional;

const VOCABULARY = 65;

class Block extends nn.Module {
  readonly ln1: nn.LayerNorm;
  readonly qkv: nn.Linear;
  readonly proj: nn.Linear;
  readonly ln2: nn.LayerNorm;
  readonly fc: nn.Linear;
  readonly out: nn.Linear;
  readonly heads: number;

  constructor(width: number, heads: number) {
    super();
    this.ln1 = new nn.LayerNorm(width);
    this.qkv = new nn.Linear(width, 3 * width);
    this.proj = new nn.Linear(width, width);
    this.ln2 = new nn.LayerNorm(width);
    this.fc = new nn.Linear(width, 4 * width);
    this.out = new nn.Linear(4 * width, width);
    this.heads = heads;
  }

  override forward(x: Tensor): Tensor {
    const [batch = 0, length = 0, width = 0] = x.shape;
    const parts = this.qkv.forward(this.ln1.forward(x)).split(width, 2);
    const [q, k, v] = parts.map((t) => t.reshape([batch, length, this.heads, -1]).transpose(1, 2));
    const y = F.scaledDotProductAttention(q!, k!, v!, { isCausal: true });
    const h = x.add(this.proj.forward(y.transpose(1, 2).reshape([batch, length, width])));
    return h.add(this.out.forward(F.gelu(this.fc.forward(this.ln2.forward(h)))));
  }
}

class CharModel extends nn.Module {
  readonly tokens: nn.Embedding;
  readonly positions: nn.Embedding;
  readonly blocks: nn.Sequential;
  readonly ln: nn.LayerNorm;
  readonly head: nn.Linear;

  constructor(length: number, width: number, depth: number, heads: number) {
    super();
    this.tokens = new nn.Embedding(VOCABULARY, width);
    this.positions = new nn.Embedding(length, width);
    this.blocks = new nn.Sequential(...Array.from({ length: depth }, () => new Block(width, heads)));
    this.ln = new nn.LayerNorm(width);
    this.head = new nn.Linear(width, VOCABULARY);
  }

  override forward(ids: Tensor): Tensor {
    const at = arange(0, ids.shape[1] ?? 0, 1, { dtype: "i32" });
    const x = this.tokens.forward(ids).add(this.positions.forward(at));
    return this.head.forward(this.ln.forward(this.blocks.forward(x)));
  }
}

export function charTransformer(batch = 16, length = 64): Program {
  const model = new CharModel(length, 128, 4, 4);
  const optimizer = new optim.AdamW(model.parameters(), { lr: 3e-4 });
  return {
    modules: [model],
    owned: [optimizer],
    batch: () => [whole([batch, length], 1, VOCABULARY), whole([batch, length], 2, VOCABULARY)],
    step(ids, next) {
      optimizer.zeroGrad();
      const loss = F.crossEntropy(model.forward(ids!).flatten(0, 1), next!.flatten());
      loss.backward();
      optimizer.step();
      return loss;
    },
  };
}
