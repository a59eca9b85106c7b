// parameterGroups: learning rates that fall from a model's head down to its first layer.
import { check, checkNumber, checkOptions, listed, ValueError } from "../errors.ts";
import { ModuleList, Sequential } from "./containers.ts";
import { checkModel, type Paths, parametersBelow } from "./freeze.ts";
import type { AnyModule } from "./module.ts";
import type { Parameter } from "./parameter.ts";

/** What `parameterGroups` takes. */
export interface ParameterGroupsOptions {
  /** The learning rate of the last layer. */
  base: number;
  /** What the rate is multiplied by from each layer to the one below it, in (0, 1]. Default 0.75. */
  decay?: number;
  /** The groups' weight decay, 0 for vectors: biases, scales and shifts. Default: the optimizer's, for all. */
  weightDecay?: number;
  /** Further parts without weight decay, such as `["class_token", "encoder.pos_embedding"]`. Default: none. */
  noDecay?: Paths;
  /** The layers from the input to the head, each a path or several. Default: found as described at `parameterGroups`. */
  layers?: readonly Paths[];
}

/** A group for an optimizer. */
export interface LayerGroup {
  /** The group's parameters. */
  params: Parameter[];
  /** Their learning rate. */
  lr: number;
  /** Their weight decay, where `parameterGroups` was given one. */
  weightDecay?: number;
}

/** A layer while it is being found. */
interface Found {
  /** The path of the module that holds it; null for parameters that a divided module holds itself. */
  readonly parent: string | null;
  readonly params: readonly Parameter[];
}

const weightOf = (module: AnyModule): number => Array.from(module.parameters()).reduce((sum, p) => sum + p.numel, 0);
const stem = (name: string): string => name.replace(/\d+$/, "");

/** Whether the children stand in a row: numbered modules of one class, or what a `Sequential` or `ModuleList` holds. */
function isRow(module: AnyModule): boolean {
  if (module instanceof Sequential || module instanceof ModuleList) return true;
  const children = [...module.namedChildren()].filter(([, child]) => weightOf(child) > 0);
  const [first] = children;
  return (
    first !== undefined &&
    children.length > 1 &&
    children.every(
      ([name, child]) =>
        child.constructor === first[1].constructor && stem(name) === stem(first[0]) && stem(name) !== name,
    )
  );
}

/** The layers below `module`, in order; `total` is the number of elements in the whole model. */
function* layersOf(module: AnyModule, path: string, total: number): Generator<Found> {
  const children = [...module.namedChildren()];
  const inside = new Set(children.flatMap(([, child]) => [...child.parameters()]));
  const own = [...module.parameters()].filter((p) => !inside.has(p));
  if (own.length > 0) yield { parent: null, params: own };
  for (const [name, child] of children) {
    const at = path ? `${path}.${name}` : name;
    const isDivided = [...child.children()].length > 0 && (isRow(child) || weightOf(child) > total / 2);
    if (isDivided) yield* layersOf(child, at, total);
    else yield { parent: path, params: [...child.parameters()] };
  }
}

/** The layers of a model by its structure, each parameter in the first that has it. */
function foundLayers(model: AnyModule): Parameter[][] {
  const layers: { parent: string | null; params: Parameter[] }[] = [];
  const seen = new Set<Parameter>();
  /** What is part of the next layer. */
  let waiting: Parameter[] = [];
  for (const { parent, params } of layersOf(model, "", weightOf(model))) {
    const fresh = params.filter((p) => !seen.has(p));
    for (const p of fresh) seen.add(p);
    const before = layers.at(-1);
    const isAlone = parent !== null && fresh.some((p) => p.ndim > 1);
    if (isAlone) {
      layers.push({ parent, params: [...waiting, ...fresh] });
      waiting = [];
    } else if (before && (parent === null || parent === before.parent)) before.params.push(...fresh);
    else waiting.push(...fresh);
  }
  const last = layers.at(-1);
  if (last) last.params.push(...waiting);
  else if (waiting.length > 0) layers.push({ parent: null, params: waiting });
  return layers.map(({ params }) => params);
}

/** The layers that were given, each parameter in the first that has it. */
function givenLayers(model: AnyModule, given: readonly Paths[]): Parameter[][] {
  const left = new Map(Array.from(model.namedParameters(), ([name, p]) => [p, name] as const));
  const layers = listed("parameterGroups", "layers: pass an array of paths", given).map((paths) => {
    const below = [...parametersBelow("parameterGroups", "layers", model, paths)].filter((p) => left.has(p));
    for (const p of below) left.delete(p);
    return below;
  });
  const [first] = left.values();
  check(
    first === undefined,
    () => `[parameterGroups] ${first} is below no path of layers (and ${left.size - 1} more): give all of the model`,
    ValueError,
  );
  return layers.filter((layer) => layer.length > 0);
}

/**
 * Groups for an optimizer whose learning rates fall from layer to layer, as layers near the input, which pretraining has taught
 * what all pictures have in common, need to change least. Layer l of L, counted from the input, has the rate
 * base * decay^(L - l): the head has `base`. Groups come from the head down.
 *
 * ```ts
 * const groups = parameterGroups(model, { base: 1e-3, decay: 0.75, weightDecay: 0.05 });
 * const optimizer = new optim.AdamW(groups, { lr: 1e-3 });
 * ```
 *
 * A layer is an element of a row: of an `nn.Sequential` or `nn.ModuleList`, or of numbered modules of one class; of what stands in no row, a child of
 * the model or of a part with more than half of its weights. Of a ResNet these are the stem, each block and the head; of a vision
 * transformer the embeddings, each block and the head, as BEiT has it. A norm belongs to the convolution that it follows in the same
 * row, else to what comes after it; `layers` says it otherwise. Frozen parameters are in the groups, too, as they may be released.
 *
 * @throws ValueError for numbers out of range, and for paths that lead to no parameter or leave some out.
 * @see https://arxiv.org/abs/2106.08254 (BEiT, appendix) and
 *   https://github.com/huggingface/pytorch-image-models/blob/main/timm/optim/_param_groups.py (`param_groups_layer_decay`)
 */
export function parameterGroups(model: AnyModule, options: ParameterGroupsOptions): LayerGroup[] {
  const name = "parameterGroups";
  checkModel(name, model);
  checkOptions(name, options, ["base", "decay", "weightDecay", "noDecay", "layers"]);
  const { base, decay = 0.75, weightDecay, noDecay = [], layers } = options;
  checkNumber(name, "base", base, 0);
  checkNumber(name, "decay", decay, 0, 1);
  check(
    decay > 0,
    () => `[${name}] decay must be above 0: freeze(model, { except: "head" }) trains the head alone`,
    ValueError,
  );
  if (weightDecay !== undefined) checkNumber(name, "weightDecay", weightDecay, 0);
  const spared = parametersBelow(name, "noDecay", model, noDecay);
  const fromHead = (layers === undefined ? foundLayers(model) : givenLayers(model, layers)).reverse();
  return fromHead.flatMap((params, below) => {
    const lr = base * decay ** below;
    if (weightDecay === undefined) return [{ params, lr }];
    const isSpared = (p: Parameter) => p.ndim < 2 || spared.has(p);
    return [
      { params: params.filter((p) => !isSpared(p)), lr, weightDecay },
      { params: params.filter(isSpared), lr, weightDecay: 0 },
    ].filter((group) => group.params.length > 0);
  });
}
