// What a user writes who takes a model to another runtime: compiled and run as consumer.ts is, which has the file run.
import { init, nn, noGrad, type Tensor, tensor, WgradError } from "wgrad";
import { ExportError, exportOnnx } from "wgrad/onnx";

class Pair extends nn.Module<readonly [x: Tensor], Tensor[]> {
  override forward(x: Tensor): Tensor[] {
    return [x, x];
  }
}

async function main(): Promise<void> {
  await init({ adapter: "auto" });
  const model = new nn.Sequential(new nn.Conv2d(1, 2, 3), new nn.ReLU(), new nn.Flatten(), new nn.Linear(8, 3));
  const x = tensor(
    Array.from({ length: 32 }, (_, i) => Math.sin(i)),
    { shape: [2, 1, 4, 4] },
  );
  const bytes: Uint8Array = await exportOnnx(model, x, { inputName: "pixels" });
  const logits = await noGrad(() => model.forward(x)).data();
  const refused: unknown = await exportOnnx(new Pair(), x).catch((error: unknown) => error);
  console.log(
    JSON.stringify({
      bytes: Array.from(bytes),
      pixels: Array.from(await x.data()),
      logits: Array.from(logits),
      typed: refused instanceof ExportError && refused instanceof WgradError,
    }),
  );
}

void main();
