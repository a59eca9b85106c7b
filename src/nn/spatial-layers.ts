// Layers that change the size of images without parameters: interpolation and padding.
import { check, checkNumber, told, ValueError } from "../errors.ts";
import { checkInterpolate, type InterpolateOptions, interpolate } from "../ops/interpolate.ts";
import { type PadMode, pad } from "../ops/pad-modes.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

/**
 * Interpolates [N, C, L], [N, C, H, W] or [N, C, D, H, W] to another size, as `nn.functional.interpolate` does.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Upsample.html
 */
export class Upsample extends Module {
  /** Size or scale factor, mode and the like, as given. */
  readonly options: InterpolateOptions;

  constructor(options: InterpolateOptions) {
    super();
    checkInterpolate("Upsample", options);
    this.options = options;
  }

  override forward(x: Tensor): Tensor {
    return interpolate(x, this.options);
  }

  override describe(): string {
    return Object.entries(this.options)
      .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
      .join(", ");
  }
}

/** Elements to add before and after each dimension, the last one first; one number for all. */
type Sides1 = number | readonly [left: number, right: number];
type Sides2 = number | readonly [left: number, right: number, top: number, bottom: number];

abstract class PadLayer extends Module {
  /** Elements to add before and after each dimension, the last one first. */
  readonly padding: readonly number[];
  private readonly value: number | PadMode;

  constructor(name: string, padding: number | readonly number[], dims: number, value: number | PadMode) {
    super();
    const list: readonly number[] = Array.isArray(padding) ? Array.from(padding) : new Array(2 * dims).fill(padding);
    check(
      list.length === 2 * dims && list.every(Number.isSafeInteger),
      () => `[${name}] padding must be a whole number, or ${2 * dims} of them; got ${told(padding)}`,
      ValueError,
    );
    if (typeof value === "number") checkNumber(name, "value", value);
    this.padding = list;
    this.value = value;
  }

  override forward(x: Tensor): Tensor {
    return pad(x, this.padding, this.value);
  }

  override describe(): string {
    const value = typeof this.value === "number" && this.value !== 0 ? [`value: ${this.value}`] : [];
    return [`[${this.padding.join(", ")}]`, ...value].join(", ");
  }
}

/** Pads the last dimension with a value. @see https://pytorch.org/docs/stable/generated/torch.nn.ConstantPad1d.html */
export class ConstantPad1d extends PadLayer {
  constructor(padding: Sides1, value: number) {
    checkNumber("ConstantPad1d", "value", value);
    super("ConstantPad1d", padding, 1, value);
  }
}

/** Pads the last two dimensions with a value. @see https://pytorch.org/docs/stable/generated/torch.nn.ConstantPad2d.html */
export class ConstantPad2d extends PadLayer {
  constructor(padding: Sides2, value: number) {
    checkNumber("ConstantPad2d", "value", value);
    super("ConstantPad2d", padding, 2, value);
  }
}

/** Pads the last two dimensions with zeros. @see https://pytorch.org/docs/stable/generated/torch.nn.ZeroPad2d.html */
export class ZeroPad2d extends PadLayer {
  constructor(padding: Sides2) {
    super("ZeroPad2d", padding, 2, 0);
  }
}

/** Pads the last dimension with its mirror image. @see https://pytorch.org/docs/stable/generated/torch.nn.ReflectionPad1d.html */
export class ReflectionPad1d extends PadLayer {
  constructor(padding: Sides1) {
    super("ReflectionPad1d", padding, 1, "reflect");
  }
}

/** Pads the last two dimensions with their mirror image. @see https://pytorch.org/docs/stable/generated/torch.nn.ReflectionPad2d.html */
export class ReflectionPad2d extends PadLayer {
  constructor(padding: Sides2) {
    super("ReflectionPad2d", padding, 2, "reflect");
  }
}

/** Pads the last dimension with its edges. @see https://pytorch.org/docs/stable/generated/torch.nn.ReplicationPad1d.html */
export class ReplicationPad1d extends PadLayer {
  constructor(padding: Sides1) {
    super("ReplicationPad1d", padding, 1, "replicate");
  }
}

/** Pads the last two dimensions with their edges. @see https://pytorch.org/docs/stable/generated/torch.nn.ReplicationPad2d.html */
export class ReplicationPad2d extends PadLayer {
  constructor(padding: Sides2) {
    super("ReplicationPad2d", padding, 2, "replicate");
  }
}
