// ViT-Tiny for pictures of 32 x 32 in patches of 4.
import { cat, nn, optim, type Tensor, zeros } from "wgrad";
import { type Program, values, whole } from "./program.ts";

const F = nn.functional;

class Block extends nn.Module {
  readonly norm1: nn.LayerNorm;
  readonly attn: nn.MultiheadAttention;
  readonly norm2: nn.LayerNorm;
  readonly fc1: nn.Linear;
  readonly fc2: nn.Linear;

  constructor(width: number, heads: number) {
    super();
    this.norm1 = new nn.LayerNorm(width, { eps: 1e-6 });
    this.attn = new nn.MultiheadAttention(width, heads, { batchFirst: true });
    this.norm2 = new nn.LayerNorm(width, { eps: 1e-6 });
    this.fc1 = new nn.Linear(width, 4 * width);
    this.fc2 = new nn.Linear(4 * width, width);
  }

  override forward(x: Tensor): Tensor {
    const y = this.norm1.forward(x);
    const h = x.add(this.attn.forward(y, y, y, { needWeights: false })[0]);
    return h.add(this.fc2.forward(F.gelu(this.fc1.forward(this.norm2.forward(h)))));
  }
}

class ViT extends nn.Module {
  readonly clsToken = new nn.Parameter(zeros([1, 1, 192]));
  readonly posEmbed = new nn.Parameter(zeros([1, 65, 192]));
  readonly patches = new nn.Conv2d(3, 192, 4, { stride: 4 });
  readonly blocks = new nn.Sequential(...Array.from({ length: 12 }, () => new Block(192, 3)));
  readonly norm = new nn.LayerNorm(192, { eps: 1e-6 });
  readonly head = new nn.Linear(192, 10);

  constructor() {
    super();
    nn.init.truncNormal_(this.posEmbed, 0, 0.02);
  }

  override forward(x: Tensor): Tensor {
    const patches = this.patches.forward(x).flatten(2).transpose(1, 2);
    const [batch = 0] = x.shape;
    const tokens = cat([this.clsToken.expand([batch, 1, 192]), patches], 1).add(this.posEmbed);
    return this.head.forward(this.norm.forward(this.blocks.forward(tokens)).select(1, 0));
  }
}

export function vit(batch = 8): Program {
  const model = new ViT();
  const optimizer = new optim.AdamW(model.parameters(), { lr: 1e-3 });
  return {
    modules: [model],
    owned: [optimizer],
    batch: () => [values([batch, 3, 32, 32], 1), whole([batch], 2, 10)],
    step(images, labels) {
      optimizer.zeroGrad();
      const loss = F.crossEntropy(model.forward(images!), labels!);
      loss.backward();
      optimizer.step();
      return loss;
    },
  };
}
