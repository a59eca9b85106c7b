// A small data set that can be learned, and a model for it.
import { nn, optim, type Tensor, vision } from "wgrad";

/** Images of 3 classes, 4x4: a bright row in one of three places, on noise of a fixed pattern. */
export function stripes(count: number, first = 0): vision.ImageDataset {
  const images = new Uint8Array(count * 48);
  const labels = Int32Array.from({ length: count }, (_, i) => (i + first) % 3);
  for (let i = 0; i < count; i++)
    for (let at = 0; at < 48; at++) {
      const noise = ((i + first) * 7919 + at * 104_729) % 97;
      const isBright = Math.floor((at % 16) / 4) === labels[i];
      images[i * 48 + at] = noise + (isBright ? 120 : 0);
    }
  return new vision.ImageDataset({ images, labels, classes: ["a", "b", "c"], shape: [3, 4, 4] });
}

export class Small extends nn.Module {
  readonly head = "fc";
  readonly conv = new nn.Conv2d(3, 4, 3, { padding: 1 });
  readonly bn = new nn.BatchNorm2d(4);
  readonly drop = new nn.Dropout(0.1);
  readonly fc = new nn.Linear(64, 3);
  forward(x: Tensor): Tensor {
    return this.fc.forward(this.drop.forward(nn.functional.relu(this.bn.forward(this.conv.forward(x))).flatten(1)));
  }
}

/** A model without anything random, and whose steps are those of one batch whatever the batches are. */
export const linear = (): nn.Sequential => new nn.Sequential(new nn.Flatten(), new nn.Linear(48, 3));

export const sgd = (model: nn.Module, lr = 0.1): optim.SGD => new optim.SGD(model.parameters(), { lr, momentum: 0.9 });

/** All parameters and buffers as numbers. */
export async function weightsOf(model: nn.AnyModule): Promise<number[][]> {
  const dict = model.stateDict();
  const values = await Promise.all(Object.values(dict).map(async (t) => [...(await t.data())]));
  for (const t of Object.values(dict)) t.dispose();
  return values;
}
