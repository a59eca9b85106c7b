// A feature pyramid on top of a network's maps; torchvision's names and shapes.
import { check, checkFunction, checkOptions, checkWhole, listed, ShapeError, told, ValueError } from "../../errors.ts";
import { ReLU } from "../../nn/activation-layers.ts";
import { ConvNormActivation } from "../../nn/blocks.ts";
import { chain } from "../../nn/chain.ts";
import { ModuleList } from "../../nn/containers.ts";
import { Conv2d } from "../../nn/conv-layers.ts";
import { constant_, kaimingUniform_ } from "../../nn/initialization.ts";
import { Module } from "../../nn/module.ts";
import { add } from "../../ops/arithmetic.ts";
import { interpolate } from "../../ops/interpolate.ts";
import { maxPool2d } from "../../ops/pool.ts";
import { scope } from "../../tensor/scope.ts";
import { Tensor } from "../../tensor/tensor.ts";

/**
 * Maps by name, each [N, C, H, W], the finest first. JavaScript sorts names that are whole numbers, before all others: `{ 0: a, 1: b,
 * pool: c }`.
 */
export type FeatureMaps = Readonly<Record<string, Tensor>>;

/** What makes further maps behind the pyramid's: takes these and the network's, and gives the pyramid's and its own. */
export type ExtraFPNBlock = Module<readonly [results: FeatureMaps, given: FeatureMaps], FeatureMaps>;

function start(conv: Conv2d): void {
  kaimingUniform_(conv.weight, { a: 1, nonlinearity: "leakyRelu" });
  if (conv.bias) constant_(conv.bias, 0);
}

function coarsest(name: string, maps: FeatureMaps): Tensor {
  const last: unknown = Object.values(maps ?? {}).at(-1);
  check(
    last instanceof Tensor,
    () => `[${name}] got ${told(last)} in the place of the last map: pass maps by name`,
    ValueError,
  );
  return last;
}

/**
 * Adds the map "pool": every other row and column of the last.
 * @see https://arxiv.org/abs/1612.03144
 */
export class LastLevelMaxPool extends Module<readonly [results: FeatureMaps, given: FeatureMaps], FeatureMaps> {
  override forward(results: FeatureMaps): FeatureMaps {
    return { ...results, pool: maxPool2d(coarsest("LastLevelMaxPool", results), 1, { stride: 2 }) };
  }
}

/**
 * Adds the maps "p6" and "p7" by convolutions of stride 2: of the pyramid's last map where `inChannels` is `outChannels`, or else of
 * the network's last one.
 * @see https://arxiv.org/abs/1708.02002
 */
export class LastLevelP6P7 extends Module<readonly [results: FeatureMaps, given: FeatureMaps], FeatureMaps> {
  /** From inChannels to outChannels, 3 x 3. */
  readonly p6: Conv2d;
  /** From outChannels to outChannels, 3 x 3. */
  readonly p7: Conv2d;
  private readonly relu = new ReLU();
  private readonly ofResults: boolean;

  constructor(inChannels: number, outChannels: number) {
    super();
    this.p6 = new Conv2d(inChannels, outChannels, 3, { stride: 2, padding: 1 });
    this.p7 = new Conv2d(outChannels, outChannels, 3, { stride: 2, padding: 1 });
    for (const conv of [this.p6, this.p7]) start(conv);
    this.ofResults = inChannels === outChannels;
  }

  override forward(results: FeatureMaps, given: FeatureMaps): FeatureMaps {
    return scope(() => {
      const p6 = this.p6.forward(coarsest("LastLevelP6P7", this.ofResults ? results : given));
      return { ...results, p6, p7: chain(p6, [this.relu, this.p7]) };
    });
  }
}

/** What a `FeaturePyramidNetwork` consists of. */
export interface FeaturePyramidOptions {
  /** Makes further maps: `new LastLevelMaxPool()` or `new LastLevelP6P7(...)`; null: none. Default null. */
  extraBlocks?: ExtraFPNBlock | null;
  /** Makes the norm behind each convolution, which then has no bias; null: none. Default null. */
  norm?: ((channels: number) => Module) | null;
}

/**
 * Maps of a network, each with what the coarser ones know: x: { name: [N, inChannelsList[i], H, W] }, the finest first, to maps of the
 * same names and sizes, each [N, outChannels, H, W], and those of `extraBlocks`.
 *
 * ```ts
 * const pyramid = new vision.FeaturePyramidNetwork([256, 512], 128, { extraBlocks: new vision.LastLevelMaxPool() });
 * const maps = pyramid.forward({ fine: a, coarse: b });   // fine, coarse and pool
 * ```
 *
 * Keys are those of torchvision since 0.13, `inner_blocks.0.0.weight`; files from before have `inner_blocks.0.weight`, which `remap`
 * of `loadStateDict` renames.
 * @throws ValueError for maps that are not as many as `inChannelsList`, ShapeError for other channels.
 * @see https://arxiv.org/abs/1612.03144 and https://pytorch.org/vision/stable/generated/torchvision.ops.FeaturePyramidNetwork.html
 */
export class FeaturePyramidNetwork extends Module<readonly [x: FeatureMaps], FeatureMaps> {
  /** 1x1 convolutions to outChannels, one a map. */
  readonly innerBlocks: ModuleList<ConvNormActivation>;
  /** 3x3 convolutions of the sums, one a map. */
  readonly layerBlocks: ModuleList<ConvNormActivation>;
  /** What makes further maps. */
  readonly extraBlocks: ExtraFPNBlock | null;

  constructor(inChannelsList: readonly number[], outChannels: number, options: FeaturePyramidOptions = {}) {
    const name = "FeaturePyramidNetwork";
    const channels = listed(name, "inChannelsList: pass an array of the channels of each map", inChannelsList);
    check(channels.length > 0, () => `[${name}] inChannelsList holds no number of channels`, ValueError);
    for (const each of channels) checkWhole(name, "each of inChannelsList", each, 1);
    checkWhole(name, "outChannels", outChannels, 1);
    checkOptions(name, options, ["extraBlocks", "norm"]);
    const { extraBlocks = null, norm = null } = options;
    if (norm !== null) checkFunction(name, "norm (or null for none)", norm);
    check(
      extraBlocks === null || extraBlocks instanceof Module,
      () => `[${name}] extraBlocks must be a module, such as new LastLevelMaxPool(), got ${told(extraBlocks)}`,
      ValueError,
    );
    super();
    const block = (from: number, kernelSize: number) =>
      new ConvNormActivation(from, outChannels, { kernelSize, norm, activation: null });
    this.innerBlocks = new ModuleList(channels.map((from) => block(from, 1)));
    this.layerBlocks = new ModuleList(channels.map(() => block(outChannels, 3)));
    for (const module of this.modules()) if (module instanceof Conv2d) start(module);
    this.extraBlocks = extraBlocks;
  }

  override forward(x: FeatureMaps): FeatureMaps {
    const inner = [...this.innerBlocks];
    const layers = [...this.layerBlocks];
    const given = mapsOf(x, inner.length);
    return scope(() => {
      const results: [name: string, map: Tensor][] = [];
      let above: Tensor | null = null;
      for (const [i, [key, map]] of [...given.entries()].reverse()) {
        const lateral: Tensor | undefined = inner[i]?.forward(map);
        const layer = layers[i];
        if (!lateral || !layer) continue;
        above = above
          ? add(lateral, interpolate(above, { size: [lateral.shape[2] ?? 1, lateral.shape[3] ?? 1] }))
          : lateral;
        results.unshift([key, layer.forward(above)]);
      }
      const maps = Object.fromEntries(results);
      return this.extraBlocks ? this.extraBlocks.forward(maps, x) : maps;
    });
  }
}

/** As many maps with their names, checked. */
function mapsOf(x: FeatureMaps, count: number): [name: string, map: Tensor][] {
  const name = "FeaturePyramidNetwork";
  check(
    typeof x === "object" && x !== null && !(x instanceof Tensor),
    () => `[${name}] got ${told(x)} in the place of maps by name, such as { fine: a, coarse: b }`,
    ValueError,
  );
  const given = Object.entries(x);
  check(
    given.length === count,
    () =>
      `[${name}] takes ${count} maps, as many as inChannelsList has numbers, got ${given.length}: ${told(Object.keys(x))}`,
    ValueError,
  );
  for (const [key, map] of given) {
    check(map instanceof Tensor, () => `[${name}] the map ${told(key)} must be a tensor, got ${told(map)}`, ValueError);
    check(
      map.ndim === 4,
      () => `[${name}] the map ${told(key)} must be [N, C, H, W], got [${map.shape.join(", ")}]`,
      ShapeError,
    );
  }
  return given;
}
