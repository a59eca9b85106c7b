// MoCo v3: its encoders for classification, and the model for pretraining without labels.

import { noGrad } from "../../autograd/mode.ts";
import { context } from "../../context.ts";
import {
  check,
  checkFunction,
  checkNumber,
  checkOptions,
  checkWhole,
  StateError,
  told,
  ValueError,
} from "../../errors.ts";
import { ReLU } from "../../nn/activation-layers.ts";
import { Sequential } from "../../nn/containers.ts";
import { constant_, normal_, uniform_, xavierUniform_, zeros_ } from "../../nn/initialization.ts";
import { Linear } from "../../nn/linear-layer.ts";
import { Module } from "../../nn/module.ts";
import { BatchNorm1d } from "../../nn/norm-layers.ts";
import { add, mul, neg } from "../../ops/arithmetic.ts";
import { normalize } from "../../ops/distances.ts";
import { copy_ } from "../../ops/inplace.ts";
import { lerp_ } from "../../ops/inplace-functions.ts";
import { crossEntropy } from "../../ops/losses.ts";
import { linear } from "../../ops/matmul.ts";
import { arange, fromHost } from "../../tensor/create.ts";
import { scope } from "../../tensor/scope.ts";
import { show } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { DeiT, type VitWidth } from "./deit.ts";
import type { Classifier } from "./pretrained.ts";
import { Bottleneck, type ResNet, type ResNetOptions, resnet50 } from "./resnet.ts";
import { type VitOptions, vitOptions } from "./vit-parts.ts";

/** Waves of a patch's row and column, a quarter of the features each: [1, side^2 + 1, features]; 0 for the class token. */
function sincos(side: number, features: number): Float32Array<ArrayBuffer> {
  const quarter = features / 4;
  const values = new Float32Array((side * side + 1) * features);
  for (let patch = 0; patch < side * side; patch++) {
    const place = [Math.floor(patch / side), patch % side];
    for (let i = 0; i < features; i++) {
      const kind = Math.floor(i / quarter);
      const angle = (place[kind >> 1] ?? 0) / 10000 ** ((i % quarter) / quarter);
      values[(patch + 1) * features + i] = kind % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    }
  }
  return values;
}

/** The last layer for a linear probe. */
function probe(layer: Linear): void {
  normal_(layer.weight, 0, 0.01);
  if (layer.bias) zeros_(layer.bias);
}

/** A ViT whose positions are fixed waves and whose patches go through a random layer that is not trained. */
function encoder(width: VitWidth, options: Required<VitOptions>): DeiT {
  const model = new DeiT(width, options);
  const { features } = width;
  const waves = sincos(options.imageSize / options.patchSize, features);
  noGrad(() => scope(() => void copy_(model.posEmbed, fromHost(waves, model.posEmbed.shape, "f32"))));
  model.posEmbed.requiresGrad = false;
  for (const { attn, mlp } of model.blocks) {
    for (const layer of [attn.qkv, attn.proj, mlp.fc1, mlp.fc2]) {
      xavierUniform_(layer.weight);
      if (layer.bias) zeros_(layer.bias);
    }
    // Queries, keys and values are three layers.
    const bound = Math.sqrt(6 / (2 * features));
    uniform_(attn.qkv.weight, -bound, bound);
  }
  const { proj } = model.patchEmbed;
  const bound = Math.sqrt(6 / (3 * options.patchSize ** 2 + features));
  uniform_(proj.weight, -bound, bound);
  if (proj.bias) zeros_(proj.bias);
  proj.requiresGrad_(false);
  probe(model.classifier);
  return model;
}

/**
 * MoCo v3's ViT-S (12 heads) for classification, 21.6 million parameters that are trained. The published files of linear probes fit:
 * `remap` takes `module.` or `module.base_encoder.` off their names.
 * @see https://arxiv.org/abs/2104.02057
 */
export const mocoV3VitSmall = (options: VitOptions = {}): DeiT =>
  encoder({ features: 384, heads: 12 }, vitOptions("mocoV3VitSmall", options, { depth: 12, patchSize: 16 }));
/** MoCo v3's ViT-B for classification. */
export const mocoV3VitBase = (options: VitOptions = {}): DeiT =>
  encoder({ features: 768, heads: 12 }, vitOptions("mocoV3VitBase", options, { depth: 12, patchSize: 16 }));

/** MoCo v3's ResNet-50: torchvision's, whose blocks start as their shortcuts. */
export function mocoV3Resnet50(options: ResNetOptions = {}): ResNet {
  const model = resnet50(options);
  for (const module of model.modules())
    if (module instanceof Bottleneck && module.bn3.weight) constant_(module.bn3.weight, 0);
  probe(model.fc);
  return model;
}

/** What `MoCoV3` takes. */
export interface MoCoV3Options {
  /** Features that are compared. Default 256. */
  dim?: number;
  /** Features inside the projector and the predictor. Default 4096. */
  mlpDim?: number;
  /** What the similarities are divided by. Default 1; 0.2 for ViTs. */
  temperature?: number;
}

/** Linear layers without bias, batch norm and ReLU between them, and a batch norm without scale and shift at the end. */
function mlp(layers: number, from: number, hidden: number, to: number, lastNorm = true): Sequential {
  const parts = new Sequential();
  for (let i = 0; i < layers; i++) {
    const last = i === layers - 1;
    parts.append(new Linear(i === 0 ? from : hidden, last ? to : hidden, { bias: false }));
    if (!last) parts.append(new BatchNorm1d(hidden)).append(new ReLU());
    else if (lastNorm) parts.append(new BatchNorm1d(to, { affine: false }));
  }
  return parts;
}

/** The encoder with a projector in the place of its last layer. */
function projected(model: Classifier & Module, layers: number, hidden: number, to: number): Module {
  for (const [property, layer] of Object.entries(model)) {
    if (layer !== lastLayer(model)) continue;
    Reflect.set(model, property, mlp(layers, layer.inFeatures, hidden, to));
    layer.dispose();
    break;
  }
  return model;
}

/** The layer that `head` names. */
function lastLayer(model: Classifier): Linear {
  check(
    model instanceof Module && typeof model.head === "string",
    () => `[MoCoV3] the function must make a model with a \`head\`, such as mocoV3Resnet50(), got ${told(model)}`,
    ValueError,
  );
  for (const [name, layer] of model.namedChildren()) if (name === model.head && layer instanceof Linear) return layer;
  throw new ValueError(
    `[MoCoV3] ${model.constructor.name} has no linear layer ${told(model.head)} of its own to replace`,
  );
}

/** Throws unless m is a number from 0 to 1, or a tensor of one element. */
function checkMomentum(m: number | Tensor): void {
  if (m instanceof Tensor) {
    check(
      m.dtype === "f32" && m.numel === 1 && m.ndim < 2,
      () => `[MoCoV3] m must be a number or an f32 tensor of shape [] or [1], got ${m.dtype} ${show(m.shape)}`,
    );
    return;
  }
  checkNumber("MoCoV3", "m", m, 0, 1);
  check(
    !context.capture,
    "[MoCoV3] the number m would be the same in each replay of the captured step: give m as a tensor that is an input of the step, such as tensor([0.99])",
    StateError,
  );
}

/**
 * Contrastive pretraining: `forward(x1, x2, m)` gives the loss of two views of the same images, [N, 3, H, W] each. The momentum encoder,
 * which is not trained, first moves to m times itself and 1 - m times the encoder (m near 1; MoCo v3 raises it from 0.99 to 1 by a
 * cosine). `encoder` makes an encoder each time that it is called: `new MoCoV3(() => mocoV3VitSmall(), { temperature: 0.2 })`. A ResNet
 * (last layer `fc`) gets two layers as a projector and a predictor without a norm at its end, a ViT three and one with it.
 * Inside of `capture` m is a tensor of one element and an input of the step, since a number would stay what it was when the step was
 * recorded: `const step = capture((x1, x2, m: Tensor) => ...); step(x1, x2, tensor([momentum]))`.
 * @throws StateError inside of `capture` for a number m; ValueError where `encoder` makes no model with a linear layer `head`, or options are out of range.
 * @see https://arxiv.org/abs/2104.02057 and https://github.com/facebookresearch/moco-v3
 */
export class MoCoV3 extends Module<readonly [x1: Tensor, x2: Tensor, m: number | Tensor]> {
  readonly baseEncoder: Module;
  readonly momentumEncoder: Module;
  readonly predictor: Sequential;
  /** What the similarities are divided by. */
  readonly temperature: number;

  constructor(encoder: () => Classifier & Module, options: MoCoV3Options = {}) {
    checkFunction("MoCoV3", "encoder", encoder);
    checkOptions("MoCoV3", options, ["dim", "mlpDim", "temperature"]);
    const { dim = 256, mlpDim = 4096, temperature = 1 } = options;
    checkWhole("MoCoV3", "dim", dim, 1);
    checkWhole("MoCoV3", "mlpDim", mlpDim, 1);
    checkNumber("MoCoV3", "temperature", temperature, Number.MIN_VALUE);
    super();
    const made = encoder();
    lastLayer(made);
    const convolutional = made.head === "fc";
    const layers = convolutional ? 2 : 3;
    this.baseEncoder = projected(made, layers, mlpDim, dim);
    this.momentumEncoder = projected(encoder(), layers, mlpDim, dim);
    this.predictor = mlp(2, dim, mlpDim, dim, !convolutional);
    this.temperature = temperature;
    this.follow(0);
    this.momentumEncoder.requiresGrad_(false);
  }

  /** Moves the momentum encoder's parameters to m times themselves and 1 - m times the encoder's. */
  private follow(m: number | Tensor): void {
    const targets = [...this.momentumEncoder.parameters()];
    noGrad(() => {
      const share = typeof m === "number" ? 1 - m : add(neg(m), 1);
      for (const [i, p] of [...this.baseEncoder.parameters()].entries()) {
        const target = targets[i];
        if (target) lerp_(target, p, share);
      }
    });
  }

  private loss(queries: Tensor, keys: Tensor): Tensor {
    const logits = linear(normalize(queries, { dim: 1 }), normalize(keys, { dim: 1 }));
    const own = arange(queries.shape[0] ?? 0, { dtype: "i32", device: queries.device });
    return mul(crossEntropy(mul(logits, 1 / this.temperature), own), 2 * this.temperature);
  }

  override forward(x1: Tensor, x2: Tensor, m: number | Tensor): Tensor {
    checkMomentum(m);
    return scope(() => {
      const queries = [x1, x2].map((x) => this.predictor.forward(this.baseEncoder.forward(x)));
      const keys = noGrad(() => {
        this.follow(m);
        return [x1, x2].map((x) => this.momentumEncoder.forward(x));
      });
      const [q1, q2] = queries as [Tensor, Tensor];
      const [k1, k2] = keys as [Tensor, Tensor];
      return add(this.loss(q1, k2), this.loss(q2, k1));
    });
  }
}
