// The semantics of backward, as PyTorch has them: accumulation, freed graphs, hooks, noGrad, detach, in-place changes.
import { describe, expect, test } from "vitest";
import { memory, noGrad, ShapeError, StateError, scope, type Tensor, tensor } from "wgrad";
import { withDevice } from "../support/case.ts";

withDevice();

const free = (...tensors: (Tensor | null)[]) => {
  for (const t of tensors) t?.dispose();
};

describe("gradients", () => {
  test("accumulate until they are set to null", async () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const run = () => scope(() => x.mul(3).sum().backward());
    expect(x.grad).toBeNull();
    run();
    run();
    expect(await x.grad!.array()).toEqual([6, 6]);
    expect(x.grad!.requiresGrad).toBe(false);
    x.grad = null;
    run();
    expect(await x.grad!.array()).toEqual([3, 3]);
    free(x);
  });

  test("of a tensor that is used twice, and of a diamond, add up", async () => {
    const x = tensor([2, -3], { requiresGrad: true });
    const y = scope(() => {
      const a = x.square();
      // Two paths of different length from a, and x once more on its own.
      return a.mul(a).add(a.exp().log()).add(x.mul(x)).sum();
    });
    y.backward();
    // d/dx (x^4 + x^2 + x^2)
    const grad = await x.grad!.data();
    expect(grad[0]).toBeCloseTo(4 * 8 + 8, 3);
    expect(grad[1]).toBeCloseTo(4 * -27 - 12, 3);
    free(x, y);
  });

  test("of broadcast operands have the operands' shapes", async () => {
    const a = tensor([[1], [2]], { requiresGrad: true });
    const b = tensor([10, 20, 30], { requiresGrad: true });
    const s = scope(() => a.mul(b).sum());
    s.backward();
    expect(await a.grad!.array()).toEqual([[60], [60]]);
    expect(await b.grad!.array()).toEqual([3, 3, 3]);
    free(a, b, s);
  });

  test("take a weight for a tensor of more than one element", async () => {
    const x = tensor([1, 2, 3], { requiresGrad: true });
    const y = x.square();
    const w = tensor([1, 0, -1]);
    y.backward(w);
    expect(await x.grad!.array()).toEqual([2, 0, -6]);
    free(x, y, w);
  });

  test("reach only what requires them, through several outputs of one operation", async () => {
    const x = tensor([[3, 1, 2]], { requiresGrad: true });
    const c = tensor([[1, 1, 1]]);
    const { values, indices } = x.topk(2);
    const s = scope(() => values.mul(2).sum().add(x.mul(c).sum()));
    s.backward();
    expect(await x.grad!.array()).toEqual([[3, 1, 3]]);
    expect(c.grad).toBeNull();
    expect([values.requiresGrad, indices.requiresGrad]).toEqual([true, false]);
    free(x, c, values, indices, s);
  });

  test("of a leaf itself", async () => {
    const x = tensor(3, { requiresGrad: true });
    x.backward();
    expect(await x.grad!.item()).toBe(1);
    free(x);
  });

  test("of a very deep graph do not overflow the stack", async () => {
    const x = tensor(1, { requiresGrad: true });
    const y = scope(() => {
      let y: Tensor = x;
      for (let i = 0; i < 3000; i++) y = y.add(0.5);
      return y;
    });
    y.backward();
    expect(await x.grad!.item()).toBe(1);
    free(x, y);
  });
});

describe("the graph", () => {
  test("is freed by backward: a second one says what to do", async () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = scope(() => x.square().sum());
    y.backward();
    expect(() => y.backward()).toThrow(StateError);
    expect(() => y.backward()).toThrow(/graph through square was already freed: call backward\(.*retainGraph: true/);
    free(x, y);
  });

  test("stays with retainGraph", async () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = scope(() => x.square().sum());
    y.backward(null, { retainGraph: true });
    y.backward();
    expect(await x.grad!.array()).toEqual([4, 8]);
    free(x, y);
  });

  test("lets its memory go after backward", () => {
    const x = tensor(new Float32Array(1000), { requiresGrad: true });
    const before = memory().bytes;
    const y = scope(() => x.exp().sin().square().sum());
    expect(memory().bytes).toBeGreaterThan(before + 2 * 4000);
    y.backward();
    // The gradient and the result are left.
    expect(memory().bytes).toBe(before + 4000 + 4);
    free(x, y);
  });

  test("lets its memory go when its last tensor is dropped", () => {
    const x = tensor(new Float32Array(1000), { requiresGrad: true });
    const before = memory();
    scope(() => {
      x.exp().sin().square().sum();
    });
    const y = scope(() => x.exp().sin().sum());
    y.dispose();
    expect(memory()).toMatchObject({ bytes: before.bytes, tensors: before.tensors });
    free(x);
  });

  test("is not recorded under noGrad, nor behind detach", async () => {
    const x = tensor([2], { requiresGrad: true });
    const a = noGrad(() => x.square());
    const d = x.detach();
    const b = scope(() => x.mul(d.square()).sum());
    expect([a.requiresGrad, a.isLeaf, d.requiresGrad, b.requiresGrad]).toEqual([false, true, false, true]);
    expect(() => a.backward()).toThrow("[backward] the tensor does not require a gradient");
    b.backward();
    expect(await x.grad!.array()).toEqual([4]);
    expect(() =>
      noGrad(() => {
        throw new RangeError("inside");
      }),
    ).toThrow(RangeError);
    const after = x.square();
    expect(after.requiresGrad).toBe(true);
    free(x, a, d, b, after);
  });

  test("names its operations", () => {
    const x = tensor([1], { requiresGrad: true });
    const y = x.relu();
    expect(String(y)).toBe("Tensor(f32 [1], gradFn=relu)");
    expect(y.gradFn?.name).toBe("relu");
    free(x, y);
  });
});

describe("misuse", () => {
  test("backward of many elements without a weight, or with one of another shape", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = x.square();
    const w = tensor([1, 2, 3]);
    expect(() => y.backward()).toThrow("[backward] needs one element or a gradient argument: the tensor has shape [2]");
    expect(() => y.backward(w)).toThrow(ShapeError);
    free(x, y, w);
  });

  test("requiresGrad on what is no leaf, or no float", () => {
    const x = tensor([1], { requiresGrad: true });
    const y = x.square();
    const i = tensor([1], { dtype: "i32" });
    expect(() => {
      y.requiresGrad = false;
    }).toThrow(/\[requiresGrad\] can be set on leaf tensors only: use detach\(\)/);
    expect(() => i.requiresGrad_()).toThrow(/only f32 tensors can have gradients, this one is i32/);
    free(x, y, i);
  });

  test("a disposed tensor", () => {
    const x = tensor([1]);
    x.dispose();
    x.dispose();
    expect(() => x.square()).toThrow(/\[tensor\] a disposed tensor f32 \[1\] was used/);
  });
});

describe("hooks", () => {
  test("see gradients of leaves and others, replace them, and can be removed", async () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = x.mul(3);
    const seen: Promise<unknown>[] = [];
    const onY = y.registerHook((g) => g.mul(10));
    const onX = x.registerHook((g) => {
      seen.push(g.array());
      return undefined;
    });
    const s = scope(() => y.square().sum());
    s.backward(null, { retainGraph: true });
    // dy = 2 y = [6, 12], times 10 by the hook, times 3.
    expect(await Promise.all(seen)).toEqual([[180, 360]]);
    expect(await x.grad!.array()).toEqual([180, 360]);
    onY.remove();
    onX.remove();
    onX.remove();
    x.grad = null;
    s.backward();
    expect(await x.grad!.array()).toEqual([18, 36]);
    expect(seen.length).toBe(1);
    const d = s.detach();
    expect(() => d.registerHook(() => undefined)).toThrow(StateError);
    free(x, y, s, d);
  });

  test("retainGrad fills .grad of what is no leaf, and accumulates", async () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = x.mul(3);
    y.retainGrad();
    const s = scope(() => y.square().sum());
    s.backward(null, { retainGraph: true });
    expect(await y.grad!.array()).toEqual([6, 12]);
    s.backward();
    expect(await y.grad!.array()).toEqual([12, 24]);
    expect(await x.grad!.array()).toEqual([36, 72]);
    free(x, y, s);
  });
});

describe("in place", () => {
  test("is refused where autograd would miss it, and allowed under noGrad", async () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = x.mul(2);
    const c = tensor([1, 1]);
    for (const change of [() => x.add_(1), () => y.zero_(), () => c.copy_(x), () => c.mul_(x)]) {
      expect(change).toThrow(StateError);
      expect(change).toThrow(/in place, which autograd does not follow: wrap it in noGrad/);
    }
    noGrad(() => x.add_(c).mul_(2).sub_(1).div_(0.5));
    expect(await x.array()).toEqual([6, 10]);
    free(x, y, c);
  });

  test("what the tape saved must not have changed since", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const w = tensor([3, 4]);
    const s = scope(() => x.mul(w).sum());
    w.fill_(0);
    expect(() => s.backward()).toThrow(/input 1 of mul, shape \[2\], was changed in place after mul used it/);
    free(x, w, s);
  });
});
