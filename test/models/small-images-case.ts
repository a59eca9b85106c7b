// What every model does after adaptToSmallImages: takes images of 32x32 in both modes, trains, and keeps its names and maps.
import { expect, test } from "vitest";
import { adaptToSmallImages, createModel, type ModelName, nn, noGrad, optim, rand, scope, Tensor, tensor } from "wgrad";
import { heads } from "./families.ts";

const { functional: F } = nn;

/** Of each family one with few parameters, blocks of transformers left out. */
export const smallOf: readonly (readonly [name: ModelName, options?: object])[] = [
  ["alexnet"],
  ["beit_base_patch16_224", { depth: 1 }],
  ["convnext_tiny"],
  ["deit_tiny_distilled_patch16_224", { depth: 1 }],
  ["densenet121"],
  ["efficientnet_b0"],
  ["googlenet"],
  ["inception_resnet_v2"],
  ["inception_v3"],
  ["lenet5"],
  ["mobilenet_v2", { padding: "tensorflow" }],
  ["mobilenet_v3_small"],
  ["moco_v3_vit_small", { depth: 1 }],
  ["resnet18"],
  ["shufflenet_v2_x0_5"],
  ["squeezenet1_0"],
  ["squeezenet1_1"],
  ["swin_t"],
  ["vgg11"],
  ["vit_b_16", { depth: 1 }],
];

const namesOf = (model: nn.AnyModule): string[] =>
  [...model.namedParameters(), ...model.namedBuffers()].map(([name]) => name);

export function testSmallImages(name: ModelName, options: object = {}): void {
  test(`${name} trains on images of 32x32`, async () => {
    const model = createModel(name, { numClasses: 10, ...options });
    const names = namesOf(model);
    expect(adaptToSmallImages(model)).toBe(model);
    expect(namesOf(model)).toEqual(names);
    // Rows of the last map: [N, C, H, W], or [N, H, W, C] of Swin.
    let last = 0;
    for (const module of model.modules())
      module.registerForwardHook((layer, _, y) => {
        const leaf = [...layer.children()].length === 0;
        if (!leaf || layer instanceof nn.AdaptiveAvgPool2d || !(y instanceof Tensor)) return;
        const [, , rows = 0, columns = 0] = y.shape;
        // Of what has one row a pool alone makes a map; elsewhere it is what was averaged.
        if (Math.min(rows, columns) > 1 || layer instanceof nn.MaxPool2d) last = Math.min(rows, columns);
      });
    const net: nn.AnyModule = model;
    const [x, y] = [rand([2, 3, 32, 32]), tensor([3, 4], { dtype: "i32" })];
    model.eval();
    const logits = noGrad(() => scope(() => heads(net.forward(x))));
    expect(logits.shape).toEqual([2, 10]);
    expect(last).toBe(model.smallImages.lastMap);
    model.train();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
    const loss = scope(() => {
      const all = heads(net.forward(x));
      const repeated = Array.from({ length: (all.shape[0] ?? 0) / 2 }, () => [3, 4]).flat();
      const value = F.crossEntropy(all, tensor(repeated, { dtype: "i32" }));
      value.backward();
      optimizer.step();
      return value.detach();
    });
    expect(Number.isFinite(await loss.item())).toBe(true);
    for (const [key, p] of model.namedParameters()) if (p.requiresGrad) expect(p.grad, key).not.toBeNull();
    for (const t of [x, y, logits, loss, optimizer, model]) t.dispose();
  });
}
