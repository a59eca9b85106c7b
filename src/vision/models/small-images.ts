// adaptToSmallImages: a model for images of 224x224 becomes one for 32x32, with the weights that it has.
import { noGrad } from "../../autograd/mode.ts";
import { check, checkOptions, told, ValueError } from "../../errors.ts";
import { Identity } from "../../nn/basic-layers.ts";
import { Conv2d } from "../../nn/conv-layers.ts";
import { Linear } from "../../nn/linear-layer.ts";
import { type AnyModule, Module } from "../../nn/module.ts";
import { Parameter } from "../../nn/parameter.ts";
import { AdaptiveAvgPool2d } from "../../nn/pooling-layers.ts";
import { mul } from "../../ops/arithmetic.ts";
import { expand, sum } from "../../ops/sum-expand.ts";
import { reshape } from "../../ops/view.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { resizedKernel, resizedTable } from "./kernel-sizes.ts";
import { resizedPositions } from "./pos-embedding.ts";

/** Rows and columns of the images. */
const IMAGE = 32;

/** What a family changes for images of 32x32; layers are named by their paths. See docs/models.md for what each family says. */
export interface SmallImageRules {
  /** Convolutions that get kernels of at most 3x3 and stride 1, padded so that the map keeps its size. */
  readonly stems?: readonly string[];
  /** Parts whose convolutions get stride 1 and keep their kernels. */
  readonly unstrided?: readonly string[];
  /** Pools that are left out. */
  readonly dropped?: readonly string[];
  /** Average pools and the rows and columns that they average to instead. */
  readonly averaged?: Readonly<Record<string, number>>;
  /** Linear layers behind a map, and the channels of a map of 1x1: weights of one channel's places are added up. */
  readonly flattened?: Readonly<Record<string, number>>;
  /** Convolutions of patches, and the rows and columns of a patch. Kernels are interpolated. */
  readonly patches?: Readonly<Record<string, number>>;
  /** Position embeddings, [1, tokens, D]. They are interpolated. */
  readonly positions?: readonly string[];
  /** Parts with attention in windows, and the rows and columns of a window. Tables by relative position are interpolated. */
  readonly windows?: Readonly<Record<string, number>>;
  /** Convolutions of gray images, which become those of three colours: the kernel three times, a third each. */
  readonly coloured?: readonly string[];
  /** Rows and columns of the last map. */
  readonly lastMap: number;
}

/** A model that says what images of 32x32 need. All of `createModel` do. */
export interface SmallImageModel extends AnyModule {
  /** What `adaptToSmallImages` changes. */
  readonly smallImages: SmallImageRules;
}

/** Attention with a table by relative position, whose window may change. */
export interface Windowed extends AnyModule {
  /** Rows and columns. */
  readonly window: number;
  /** [(2 * window - 1)^2 and more, heads]. */
  readonly relativePositionBiasTable: Parameter | null;
  /** Takes the table over. */
  setWindow(window: number, table: Parameter): void;
}

/** What `adaptToSmallImages` takes. */
export interface SmallImagesOptions {
  /**
   * What becomes of larger kernels. "crop": their centre, as it is. "interpolate": a smaller one that answers as the whole kernel does
   * to an image enlarged as many times. Default "crop". Kernels of patches, and even ones, which have no centre, are always interpolated.
   */
  kernels?: "crop" | "interpolate";
}

interface Place {
  readonly owner: AnyModule;
  readonly property: string;
  readonly layer: AnyModule;
}

/** Where a model keeps the layer of this path. */
function placeOf(model: AnyModule, path: string): Place {
  let found: Place | undefined;
  let owner: AnyModule | undefined = model;
  for (const name of path.split(".")) {
    const within: AnyModule | undefined = owner;
    const layer: AnyModule | undefined = within && new Map(within.namedChildren()).get(name);
    const property: string | undefined =
      within && Object.keys(within).find((key) => Reflect.get(within, key) === layer);
    found = within && layer && property !== undefined ? { owner: within, property, layer } : undefined;
    owner = found?.layer;
  }
  check(
    found !== undefined,
    () =>
      `[adaptToSmallImages] ${model.constructor.name} has no layer ${told(path)}: adapt it before its layers change`,
    ValueError,
  );
  return found;
}

/** The convolution (or other layer of `Kind`) of this path, and where it is. */
function layerOf<M extends AnyModule>(
  model: AnyModule,
  path: string,
  Kind: abstract new (...args: never) => M,
): Place & { readonly layer: M } {
  const { owner, property, layer } = placeOf(model, path);
  check(
    layer instanceof Kind,
    () => `[adaptToSmallImages] ${path} is ${told(layer)}, not ${Kind.name}: adapt the model before its layers change`,
    ValueError,
  );
  return { owner, property, layer };
}

/** Puts a layer like the old one, but for `changes`, in its place; a recording of a captured step takes notice of that. */
function change<M extends AnyModule>({ owner, property, layer }: Place & { readonly layer: M }, changes: object): void {
  Reflect.set(owner, property, Object.assign(layer.blank(), layer, changes));
}

/** A parameter with other values in the place of this one. */
function moved(old: Parameter, values: (t: Tensor) => Tensor): Parameter {
  const made = new Parameter(
    noGrad(() => scope(() => values(old))),
    old.requiresGrad,
  );
  old.dispose();
  return made;
}

function setKernel(place: Place & { readonly layer: Conv2d }, size: number, stride: number, crop: boolean): void {
  const { weight, options, kernelSize } = place.layer;
  const padding = stride === 1 ? (size - 1) / 2 : 0;
  const changes = { options: { ...options, stride, padding } };
  if (kernelSize[0] === size && kernelSize[1] === size) change(place, changes);
  else {
    const smaller = moved(weight, (t) => resizedKernel(t, size, crop));
    change(place, { ...changes, kernelSize: [size, size], weight: smaller });
  }
}

/** Every convolution of a part. */
function* convolutionsBelow(model: AnyModule, path: string): Iterable<Place & { readonly layer: Conv2d }> {
  const { layer } = placeOf(model, path);
  for (const [name, module] of [...layer.namedModules()])
    if (module instanceof Conv2d) yield layerOf(model, name === "" ? path : `${path}.${name}`, Conv2d);
}

function setStems(
  model: AnyModule,
  { stems = [], unstrided = [], dropped = [] }: SmallImageRules,
  crop: boolean,
): void {
  for (const path of stems) {
    for (const place of convolutionsBelow(model, path))
      setKernel(place, Math.min(3, ...place.layer.kernelSize), 1, crop);
  }
  for (const path of unstrided) {
    for (const place of convolutionsBelow(model, path))
      if (String(place.layer.options.stride) !== "1") change(place, { options: { ...place.layer.options, stride: 1 } });
  }
  for (const path of dropped) {
    const { owner, property } = placeOf(model, path);
    Reflect.set(owner, property, new Identity());
  }
}

function setHead(model: AnyModule, { averaged = {}, flattened = {} }: SmallImageRules): void {
  for (const [path, size] of Object.entries(averaged)) {
    const { owner, property } = placeOf(model, path);
    Reflect.set(owner, property, new AdaptiveAvgPool2d(size));
  }
  for (const [path, channels] of Object.entries(flattened)) {
    const place = layerOf(model, path, Linear);
    const { inFeatures, outFeatures, weight } = place.layer;
    if (inFeatures === channels) continue;
    const places = [outFeatures, channels, inFeatures / channels];
    change(place, { inFeatures: channels, weight: moved(weight, (t) => sum(reshape(t, places), 2)) });
  }
}

const isWindowed = (module: AnyModule): module is Windowed => "setWindow" in module;

function setTokens(model: AnyModule, { patches = {}, positions = [], windows = {} }: SmallImageRules): void {
  for (const [path, size] of Object.entries(patches)) setKernel(layerOf(model, path, Conv2d), size, size, false);
  if (Object.keys(patches).length > 0)
    for (const module of model.modules())
      if (Object.hasOwn(module, "imageSize")) Reflect.set(module, "imageSize", IMAGE);
  const [size = 1] = Object.values(patches);
  for (const path of positions) {
    const [name = "", ...parents] = path.split(".").reverse();
    const owner = parents.length > 0 ? placeOf(model, parents.reverse().join(".")).layer : model;
    const old = new Map(owner.namedParameters()).get(name);
    const property = Object.keys(owner).find((key) => Reflect.get(owner, key) === old);
    if (!old || property === undefined) continue;
    const first: unknown = Reflect.get(model, "prefixTokens");
    const how = { prefix: typeof first === "number" ? first : 0, side: IMAGE / size };
    if (old.shape[1] !== how.prefix + how.side ** 2)
      Reflect.set(
        owner,
        property,
        moved(old, (t) => resizedPositions(t, path, how)),
      );
  }
  for (const [path, side] of Object.entries(windows)) {
    for (const module of placeOf(model, path).layer.modules()) {
      if (!isWindowed(module) || module.window === side) continue;
      const { relativePositionBiasTable: table, window } = module;
      if (table)
        module.setWindow(
          side,
          moved(table, (t) => resizedTable(t, 2 * window - 1, 2 * side - 1)),
        );
    }
  }
}

/**
 * Changes a model that was made for larger images into one that takes [N, 3, 32, 32] (CIFAR and the like), in place, and returns it:
 * stems of stride 1, no pool behind them, patches of 4x4, smaller windows; docs/models.md has a table of what each family changes. The
 * weights that the model has are kept, cropped or interpolated where shapes change, so that it works for pretrained ones, and all names
 * in the state dict stay.
 *
 * ```ts
 * const model = adaptToSmallImages(await createModel("resnet50", { weights: "DEFAULT", numClasses: 10 }));
 * const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 }); // afterwards: some parameters are new ones
 * ```
 *
 * A second call changes nothing. A model of your own takes part with a getter `smallImages`. Hooks of layers that are changed are gone.
 * @throws ValueError for a model without rules, one whose layers are not what its rules say, and wrong options.
 */
export function adaptToSmallImages<M extends SmallImageModel>(model: M, options: SmallImagesOptions = {}): M {
  check(
    model instanceof Module && typeof model.smallImages === "object",
    () =>
      `[adaptToSmallImages] got ${told(model)} in the place of a model that says what small images need: those of createModel do; give your own a getter \`smallImages\``,
    ValueError,
  );
  checkOptions("adaptToSmallImages", options, ["kernels"]);
  const { kernels = "crop" } = options;
  check(
    kernels === "crop" || kernels === "interpolate",
    () => `[adaptToSmallImages] kernels must be "crop" or "interpolate", got ${told(kernels)}`,
    ValueError,
  );
  const rules = model.smallImages;
  setStems(model, rules, kernels === "crop");
  setHead(model, rules);
  setTokens(model, rules);
  for (const path of rules.coloured ?? []) {
    const place = layerOf(model, path, Conv2d);
    const { inChannels, outChannels, kernelSize, weight } = place.layer;
    if (inChannels === 1) {
      const shape = [outChannels, 3, ...kernelSize];
      change(place, { inChannels: 3, weight: moved(weight, (t) => mul(expand(t, shape), 1 / 3)) });
    }
  }
  return model;
}
