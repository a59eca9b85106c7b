// Gradient clipping, by norm and by value, without a readback.
import { apply } from "../autograd/apply.ts";
import { noGrad } from "../autograd/mode.ts";
import { type Op, withoutGradient } from "../autograd/op.ts";
import { checkTensor, runInto } from "../autograd/run.ts";
import { check, checkNumber, listed, ValueError } from "../errors.ts";
import { gridSize } from "../gpu/limits.ts";
import { bindingElements, partOf, ranges } from "../kernels/binding-parts.ts";
import { Kernel } from "../kernels/kernel.ts";
import normWgsl, { CHUNK } from "../kernels/wgsl/grad-norm.wgsl";
import finishWgsl from "../kernels/wgsl/grad-norm-finish.wgsl";
import * as binaries from "../ops/binary-rows.ts";
import * as unaries from "../ops/unary-rows.ts";
import { zeros } from "../tensor/create.ts";
import { keep, scope } from "../tensor/scope.ts";
import { Storage } from "../tensor/storage.ts";
import { empty, Tensor } from "../tensor/tensor.ts";

const squares = new Kernel(normWgsl);
const finish = new Kernel(finishWgsl);

interface NormAttrs {
  readonly maxNorm: number;
}

/** The common 2-norm of tensors, and the factor that brings it to `maxNorm` or below. */
const gradNormOp: Op<readonly Tensor[], NormAttrs, readonly [norm: Tensor, factor: Tensor]> = {
  name: "clipGradNorm_",
  infer: () => [
    { shape: [], dtype: "f32" },
    { shape: [], dtype: "f32" },
  ],
  forward(run, grads, [norm, factor], { maxNorm }) {
    const { info } = run.device;
    const most = Math.min(bindingElements(info), gridSize(info.limits) * CHUNK);
    const parts = grads.flatMap(({ storage, numel }) =>
      Array.from(ranges(numel, most), ([first, n]) => ({
        g: partOf(storage, first, n),
        n,
        chunks: Math.ceil(n / CHUNK),
      })),
    );
    const total = parts.reduce((sum, { chunks }) => sum + chunks, 0);
    const partial = run.scratch([total]);
    let offset = 0;
    for (const { g, n, chunks } of parts) {
      squares.launch(run, { g, partial }, { n, offset }, [chunks]);
      offset += chunks;
    }
    finish.launch(run, { partial, norm, factor }, { n: total, maxNorm }, [1]);
  },
  ...withoutGradient,
};

interface Clipped {
  readonly p: Tensor;
  readonly grad: Tensor;
}

/** Parameters as a list. An iterator without any was used up before, which would go unnoticed. */
function listOf(name: string, params: Iterable<Tensor> | Tensor): Tensor[] {
  const list = params instanceof Tensor ? [params] : listed(name, "parameters: pass model.parameters()", params);
  check(
    list.length > 0 || Array.isArray(params),
    () =>
      `[${name}] got an iterator without parameters, which was used up before: call model.parameters() again, or keep [...model.parameters()]`,
    ValueError,
  );
  for (const [i, p] of list.entries()) checkTensor(name, i, p);
  return list;
}

const withGrad = (params: readonly Tensor[]): Clipped[] =>
  params.flatMap((p) => {
    const { grad } = p;
    return grad ? [{ p, grad }] : [];
  });

/**
 * Replaces a gradient by what `write` makes of it, element by element, in parts where it is larger than a binding may be. It is
 * not changed in place: two leaves may share one storage.
 */
function replaceGrad({ p, grad }: Clipped, write: (from: Tensor, to: Tensor) => void): void {
  const clipped = keep(empty(grad.shape, "f32", grad.device));
  scope(() => {
    for (const [first, n] of ranges(grad.numel, bindingElements(grad.device.info))) {
      const part = ({ storage, device }: Tensor) =>
        new Tensor(
          new Storage(device, 4 * n, { part: { of: storage, offset: storage.offset + 4 * first } }),
          [n],
          "f32",
        );
      write(part(grad), part(clipped));
    }
  });
  p.grad = clipped;
}

/**
 * Scales the gradients of `params` so that their common 2-norm is at most `maxNorm`. Returns that norm before scaling,
 * a tensor of shape []; nothing waits for the device. Where a gradient holds NaN or an infinity the norm is that, and the
 * scaled gradients are not finite either.
 * @throws ValueError for a negative `maxNorm`.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
 */
export function clipGradNorm_(params: Iterable<Tensor> | Tensor, maxNorm: number): Tensor {
  checkNumber("clipGradNorm_", "maxNorm", maxNorm, 0);
  const all = listOf("clipGradNorm_", params);
  const list = withGrad(all);
  const [first] = all;
  if (list.length === 0) return zeros([], first ? { device: first.device } : {});
  return noGrad(() => {
    const [norm, factor] = apply(
      gradNormOp,
      list.map(({ grad }) => grad),
      { maxNorm },
    );
    const op = { ...binaries.mul, name: "clipGradNorm_" };
    for (const clipped of list) replaceGrad(clipped, (from, to) => runInto(op, [from, factor], undefined, [to]));
    factor.dispose();
    return norm;
  });
}

/**
 * Clamps every element of the gradients of `params` to [-clipValue, clipValue].
 * @throws ValueError for a negative `clipValue`.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html
 */
export function clipGradValue_(params: Iterable<Tensor> | Tensor, clipValue: number): void {
  checkNumber("clipGradValue_", "clipValue", clipValue, 0);
  const op = { ...unaries.clamp, name: "clipGradValue_" };
  const limits = [-clipValue, clipValue];
  for (const clipped of withGrad(listOf("clipGradValue_", params)))
    replaceGrad(clipped, (from, to) => runInto(op, [from], limits, [to]));
}
