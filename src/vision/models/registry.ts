// createModel: every model by torchvision's name, or timm's where torchvision has none.
import { check, told, ValueError } from "../../errors.ts";
import { alexnet } from "./alexnet.ts";
import { beitBasePatch16_224, beitLargePatch16_224 } from "./beit.ts";
import { convnextBase, convnextLarge, convnextSmall, convnextTiny } from "./convnext.ts";
import {
  deitBaseDistilledPatch16_224,
  deitBasePatch16_224,
  deitSmallDistilledPatch16_224,
  deitSmallPatch16_224,
  deitTinyDistilledPatch16_224,
  deitTinyPatch16_224,
  vitBasePatch16_224,
  vitLargePatch16_224,
  vitSmallPatch16_224,
  vitTinyPatch16_224,
} from "./deit.ts";
import { densenet121, densenet161, densenet169, densenet201 } from "./densenet.ts";
import {
  efficientnetB0,
  efficientnetB1,
  efficientnetB2,
  efficientnetB3,
  efficientnetB4,
  efficientnetB5,
  efficientnetB6,
  efficientnetB7,
  efficientnetV2L,
  efficientnetV2M,
  efficientnetV2S,
} from "./efficientnet.ts";
import { googlenet } from "./googlenet.ts";
import { inceptionResnetV2 } from "./inception-resnet-v2.ts";
import { inceptionV3 } from "./inception-v3.ts";
import { lenet5 } from "./lenet.ts";
import { mobilenetV2 } from "./mobilenet-v2.ts";
import { mobilenetV3Large, mobilenetV3Small } from "./mobilenet-v3.ts";
import { mocoV3Resnet50, mocoV3VitBase, mocoV3VitSmall } from "./moco-v3.ts";
import type { Classifier } from "./pretrained.ts";
import {
  resnet18,
  resnet34,
  resnet50,
  resnet101,
  resnet152,
  resnext50_32x4d,
  resnext101_32x8d,
  resnext101_64x4d,
  wideResnet50_2,
  wideResnet101_2,
} from "./resnet.ts";
import { shufflenetV2X0_5, shufflenetV2X1_0, shufflenetV2X1_5, shufflenetV2X2_0 } from "./shufflenet-v2.ts";
import { squeezenet1_0, squeezenet1_1 } from "./squeezenet.ts";
import { swinB, swinS, swinT } from "./swin.ts";
import { vgg11, vgg11Bn, vgg13, vgg13Bn, vgg16, vgg16Bn, vgg19, vgg19Bn } from "./vgg.ts";
import { vitB16, vitB32, vitH14, vitL16, vitL32 } from "./vit.ts";
import type { modelWeights } from "./weights/table.ts";
import type { WeightsDownload, WeightsEntry, WeightsFile } from "./weights-entry.ts";

/** Sorted by name, but for numbers. */
const builders = {
  alexnet,
  beit_base_patch16_224: beitBasePatch16_224,
  beit_large_patch16_224: beitLargePatch16_224,
  convnext_base: convnextBase,
  convnext_large: convnextLarge,
  convnext_small: convnextSmall,
  convnext_tiny: convnextTiny,
  deit_base_distilled_patch16_224: deitBaseDistilledPatch16_224,
  deit_base_patch16_224: deitBasePatch16_224,
  deit_small_distilled_patch16_224: deitSmallDistilledPatch16_224,
  deit_small_patch16_224: deitSmallPatch16_224,
  deit_tiny_distilled_patch16_224: deitTinyDistilledPatch16_224,
  deit_tiny_patch16_224: deitTinyPatch16_224,
  densenet121,
  densenet161,
  densenet169,
  densenet201,
  efficientnet_b0: efficientnetB0,
  efficientnet_b1: efficientnetB1,
  efficientnet_b2: efficientnetB2,
  efficientnet_b3: efficientnetB3,
  efficientnet_b4: efficientnetB4,
  efficientnet_b5: efficientnetB5,
  efficientnet_b6: efficientnetB6,
  efficientnet_b7: efficientnetB7,
  efficientnet_v2_l: efficientnetV2L,
  efficientnet_v2_m: efficientnetV2M,
  efficientnet_v2_s: efficientnetV2S,
  googlenet,
  inception_resnet_v2: inceptionResnetV2,
  inception_v3: inceptionV3,
  lenet5,
  mobilenet_v2: mobilenetV2,
  mobilenet_v3_large: mobilenetV3Large,
  mobilenet_v3_small: mobilenetV3Small,
  moco_v3_resnet50: mocoV3Resnet50,
  moco_v3_vit_base: mocoV3VitBase,
  moco_v3_vit_small: mocoV3VitSmall,
  resnet18,
  resnet34,
  resnet50,
  resnet101,
  resnet152,
  resnext50_32x4d,
  resnext101_32x8d,
  resnext101_64x4d,
  shufflenet_v2_x0_5: shufflenetV2X0_5,
  shufflenet_v2_x1_0: shufflenetV2X1_0,
  shufflenet_v2_x1_5: shufflenetV2X1_5,
  shufflenet_v2_x2_0: shufflenetV2X2_0,
  squeezenet1_0,
  squeezenet1_1,
  swin_b: swinB,
  swin_s: swinS,
  swin_t: swinT,
  vgg11,
  vgg11_bn: vgg11Bn,
  vgg13,
  vgg13_bn: vgg13Bn,
  vgg16,
  vgg16_bn: vgg16Bn,
  vgg19,
  vgg19_bn: vgg19Bn,
  vit_b_16: vitB16,
  vit_b_32: vitB32,
  vit_base_patch16_224: vitBasePatch16_224,
  vit_h_14: vitH14,
  vit_l_16: vitL16,
  vit_l_32: vitL32,
  vit_large_patch16_224: vitLargePatch16_224,
  vit_small_patch16_224: vitSmallPatch16_224,
  vit_tiny_patch16_224: vitTinyPatch16_224,
  wide_resnet50_2: wideResnet50_2,
  wide_resnet101_2: wideResnet101_2,
};

/** torchvision's name of a model, or timm's where torchvision has none. */
export type ModelName = keyof typeof builders;

/** The names that `createModel` takes. @see https://pytorch.org/vision/stable/generated/torchvision.models.list_models.html */
export const listModels = (): ModelName[] => Object.keys(builders) as ModelName[];

/** The names of a model's published weights: see `modelWeights`. */
export type WeightsNameOf<N> = N extends keyof typeof modelWeights ? keyof (typeof modelWeights)[N] : never;

type OptionsOf<N extends ModelName> = NonNullable<Parameters<(typeof builders)[N]>[0]>;
type Built<N extends ModelName> = ReturnType<(typeof builders)[N]>;

/**
 * A model by torchvision's name: with random weights, or, as a promise, with published ones.
 *
 * ```ts
 * const model = createModel("vgg16_bn", { numClasses: 10 });
 * const pretrained = await createModel("resnet50", { weights: "DEFAULT", numClasses: 10 }); // with a new head
 * const own = await createModel("resnet18", { weights: { url: "https://example.com/mine-0a1b2c3d.pth" } });
 * ```
 *
 * A program that knows its model imports the model's own function instead, and `loadWeights`, and carries no other.
 *
 * @param options the model's own, and `weights`: "DEFAULT" (the best), another name of `modelWeights`, or a file of one's own
 * @param download a mirror, progress and the like, for `weights`
 * @throws ValueError for a name that is none, and as the model's own function does; as `loadWeights` does.
 * @see https://pytorch.org/vision/stable/generated/torchvision.models.get_model.html
 */
export function createModel<N extends ModelName>(
  name: N,
  options?: OptionsOf<N> & {
    /** Null: random weights. Default null. */
    weights?: null;
  },
): Built<N>;
export function createModel<N extends ModelName>(
  name: N,
  options: OptionsOf<N> & {
    /** The name of published weights, or a file of one's own. */
    weights: WeightsNameOf<N> | WeightsFile;
  },
  download?: WeightsDownload,
): Promise<Built<N>>;
export function createModel(name: ModelName, options: object = {}, download?: WeightsDownload): unknown {
  check(
    typeof name === "string" && Object.hasOwn(builders, name),
    () => `[createModel] there is no model ${told(name)}: listModels() gives ${listModels().join(", ")}`,
    ValueError,
  );
  const build = builders[name] as (options: object) => Classifier;
  // What is no plain object of options is the builder's to refuse.
  if (typeof options !== "object" || options === null || !Object.hasOwn(options, "weights"))
    return build(options ?? {});
  const { weights, ...rest }: { weights?: unknown } = options;
  return weights === undefined || weights === null ? build(rest) : withWeights(name, build, rest, weights, download);
}

const isFile = (weights: unknown): weights is WeightsFile & Partial<WeightsEntry> =>
  typeof weights === "object" && weights !== null && "url" in weights;

async function withWeights(
  name: string,
  build: (options: object) => Classifier,
  options: object,
  given: unknown,
  download: WeightsDownload | undefined,
): Promise<Classifier> {
  // Loaded when they are needed: programs without published weights carry neither the table nor the readers of files.
  const [{ modelWeights }, { loadWeights }] = await Promise.all([
    import("./weights/table.ts"),
    import("./load-weights.ts"),
  ]);
  const published = Object.entries(Object.entries(modelWeights).find(([key]) => key === name)?.[1] ?? {});
  const weights: unknown = typeof given === "string" ? published.find(([key]) => key === given)?.[1] : given;
  check(
    isFile(weights),
    () =>
      `[createModel] ${name} has no weights ${told(given)}: expected ${[...published.map(([key]) => key), "{ url } of a file"].join(", ")}`,
    ValueError,
  );
  const model = build({ ...weights.options, ...options });
  try {
    await loadWeights(model, weights, download);
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}
