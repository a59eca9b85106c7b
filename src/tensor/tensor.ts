// Tensor: a handle on shared device storage, with its shape, dtype and place in the autograd graph.
import type { Node } from "../autograd/node.ts";
import { context } from "../context.ts";
import { check, ShapeError, StateError, told, ValueError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import { currentDevice } from "../gpu/device.ts";
import { arrayTypes, bytesPerElement, type Dtype, type TensorData } from "./dtype.ts";
import { halfToFloat } from "./half.ts";
import { track } from "./scope.ts";
import { type Shape, show, sizeOf } from "./shape.ts";
import { books, Storage } from "./storage.ts";

/** Shape and dtype of a tensor, without its data. */
export interface Spec {
  /** Sizes of the dimensions, outermost first. */
  readonly shape: Shape;
  /** Type of the elements. */
  readonly dtype: Dtype;
}

/** A number, or arrays of such in arrays of equal lengths: `[[1, 2], [3, 4]]` has shape [2, 2]. */
export type NestedArray = number | NestedArray[];
/** Sees a gradient during backward; a tensor that it returns takes its place. */
export type GradHook = (grad: Tensor) => Tensor | undefined;

/** What a handle holds on to, apart from the handle so that the finalizer can let go of it. */
interface Holdings {
  storage: Storage;
  node: Node | null;
  freed: boolean;
  /** Held by the library itself: not among the tensors that `memory()` counts. */
  readonly internal: boolean;
}

function free(held: Holdings): void {
  if (held.freed) return;
  held.freed = true;
  if (!held.internal) books.tensors--;
  held.storage.release();
  held.node?.release();
}

// The safety net under dispose() and scope(): handles that the garbage collector finds.
const finalizer = new FinalizationRegistry<Holdings>(free);

/**
 * An n-dimensional array on the device. Operations are methods, with PyTorch's names in camelCase (`a.matmul(b)`), or
 * functions of `nn.functional`. Contiguous, row-major.
 */
export class Tensor<S extends Shape = Shape> implements Spec {
  /** Sizes of the dimensions, outermost first; [] for a scalar. */
  readonly shape: S;
  /** Type of the elements. */
  readonly dtype: Dtype;
  readonly #held: Holdings;
  #requiresGrad: boolean;
  #grad: Tensor | null = null;
  /** Which output of its node this tensor is. */
  readonly outputIndex: number;
  /** Hooks of a leaf; those of other tensors live on their node. */
  leafHooks: GradHook[] | null = null;

  /** Use `tensor()`, `zeros()` and the like. Takes over one reference of `storage` and one of `node`. */
  constructor(
    storage: Storage,
    shape: S,
    dtype: Dtype,
    node: Node | null = null,
    outputIndex = 0,
    {
      internal = false,
    }: {
      /** A handle of the library's own, which `memory()` and scopes do not see. Default false. */
      internal?: boolean;
    } = {},
  ) {
    check(
      storage instanceof Storage,
      () => "[Tensor] is not made by `new`: use tensor(), zeros() and the like",
      ValueError,
    );
    this.shape = shape;
    this.dtype = dtype;
    this.#held = { storage, node, freed: false, internal };
    this.#requiresGrad = node !== null;
    this.outputIndex = outputIndex;
    if (internal) return;
    books.tensors++;
    finalizer.register(this, this.#held, this.#held);
    track(this);
  }

  /** The device memory behind it. Throws `StateError` when disposed. */
  get storage(): Storage {
    if (this.#held.freed) {
      throw new StateError(
        `[tensor] a disposed tensor ${this.dtype} ${show(this.shape)} was used: return it from its scope, or clone() it first`,
      );
    }
    return this.#held.storage;
  }

  /** The device that it lives on. */
  get device(): Device {
    return this.storage.device;
  }

  /** The operation that made it, while the tape is recorded. */
  get gradFn(): Node | null {
    return this.#held.node;
  }

  /** Number of dimensions. */
  get ndim(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get numel(): number {
    return sizeOf(this.shape);
  }

  /** True for tensors that no differentiable operation made. */
  get isLeaf(): boolean {
    return this.#held.node === null;
  }

  /** Whether it was freed: it cannot be used any more. */
  get disposed(): boolean {
    return this.#held.freed;
  }

  /** Whether `backward` computes a gradient for it. Can be set on leaves only. */
  get requiresGrad(): boolean {
    return this.#requiresGrad;
  }

  set requiresGrad(value: boolean) {
    check(this.isLeaf, () => "[requiresGrad] can be set on leaf tensors only: use detach() first", StateError);
    check(
      !value || this.dtype === "f32",
      () => `[requiresGrad] only f32 tensors can have gradients, this one is ${this.dtype}`,
      StateError,
    );
    if (value !== this.#requiresGrad) context.capture?.read(this);
    this.#requiresGrad = value;
  }

  /**
   * Sets `requiresGrad` and returns this.
   * @see https://pytorch.org/docs/stable/generated/torch.Tensor.requires_grad_.html
   */
  requiresGrad_(value = true): this {
    this.requiresGrad = value;
    return this;
  }

  /** The accumulated gradient of a leaf, same shape; null before `backward`. Owned by this tensor. */
  get grad(): Tensor | null {
    context.capture?.gradientRead(this, this.#grad);
    return this.#grad;
  }

  set grad(value: Tensor | null) {
    if (value === this.#grad && value !== null) return;
    if (value !== null) {
      check(
        value instanceof Tensor,
        () => `[grad] a gradient must be a tensor, or null for none, got ${told(value)}`,
        ValueError,
      );
      check(
        value.dtype === this.dtype && String(value.shape) === String(this.shape),
        () => `[grad] a gradient of shape ${show(value.shape)} cannot be set on a tensor of shape ${show(this.shape)}`,
      );
    }
    context.capture?.gradientSet(this);
    if (value === this.#grad) return;
    this.#grad?.dispose();
    this.#grad = value;
  }

  /** Whether there is a gradient, without asking for it. */
  get hasGrad(): boolean {
    return this.#grad !== null;
  }

  /** For backward and captures: puts another gradient in place and gives back the one before, which is the caller's now. */
  swapGrad(value: Tensor | null): Tensor | null {
    const before = this.#grad;
    this.#grad = value;
    return before;
  }

  /** Copies the elements to the host, row-major. f16 arrives as f32 values. */
  async data(): Promise<TensorData> {
    context.pending?.run(); // it may write into this one
    const { storage, dtype, numel } = this;
    const bytes = await storage.device.queue.read({
      buffer: storage.buffer,
      offset: storage.offset,
      bytes: numel * bytesPerElement(dtype),
    });
    return dtype === "f16" ? halfToFloat(new Uint16Array(bytes)) : new arrayTypes[dtype](bytes);
  }

  /** The value of a tensor with one element. */
  async item(): Promise<number> {
    check(
      this.numel === 1,
      () => `[item] needs a tensor of one element, got shape ${show(this.shape)}: use data()`,
      ShapeError,
    );
    const [value = Number.NaN] = await this.data();
    return value;
  }

  /** The elements as nested arrays. */
  async array(): Promise<NestedArray> {
    const data = await this.data();
    let at = 0;
    const build = ([length, ...inner]: Shape): NestedArray =>
      length === undefined ? (data[at++] ?? Number.NaN) : Array.from({ length }, () => build(inner));
    return build(this.shape);
  }

  /** Dtype and shape, as in `Tensor(f32 [2, 3], requiresGrad)`. For the elements: `print`, `array`, `data`. */
  toString(): string {
    const grad = this.#requiresGrad ? (this.isLeaf ? ", requiresGrad" : `, gradFn=${this.gradFn?.name}`) : "";
    return `Tensor(${this.dtype} ${show(this.shape)}${grad}${this.disposed ? ", disposed" : ""})`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** Another handle on the same storage, outside the graph. */
  detach(): Tensor<S> {
    return new Tensor(this.storage.retain(), this.shape, this.dtype);
  }

  /** Frees the handle, its gradient, and the storage when nobody else holds it. Safe to call twice. */
  dispose(): void {
    this.#grad?.dispose();
    this.#grad = null;
    finalizer.unregister(this.#held);
    free(this.#held);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** A handle for the library's own use: neither counted nor freed by a scope. Whoever makes it disposes it. */
export const internalHandle = (storage: Storage, { shape, dtype }: Spec): Tensor =>
  new Tensor(storage.retain(), shape, dtype, null, 0, { internal: true });

/** A tensor of this spec with undefined content, as output `index` of `node`. */
export function empty(
  shape: Shape,
  dtype: Dtype,
  device = currentDevice(),
  node: Node | null = null,
  index = 0,
): Tensor {
  const storage = new Storage(device, sizeOf(shape) * bytesPerElement(dtype));
  return new Tensor(storage, shape, dtype, node?.retain() ?? null, index);
}
