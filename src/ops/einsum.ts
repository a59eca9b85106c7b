// einsum: sums of products of tensors whose dimensions have letters. Two operands at a time, from the left, each pair a batch of
// matrix products: dimensions that both have and that are kept are the batch, those that are not kept are summed over.
import { checkTensor } from "../autograd/run.ts";
import { check, listed, ShapeError, told, ValueError } from "../errors.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { show, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { binary } from "./binary.ts";
import * as binaries from "./binary-rows.ts";
import { diagonal } from "./diagonal.ts";
import { matmul } from "./matmul.ts";
import { permute } from "./movement.ts";
import { sum } from "./sum-expand.ts";
import { view } from "./view.ts";

/** A label for each dimension: a letter, or "..0", "..1" and so on for those of the ellipsis, counted from its end. */
type Labels = readonly string[];
interface Operand {
  readonly t: Tensor;
  readonly labels: Labels;
}

const fail = (equation: string, what: string): string => `[einsum] ${JSON.stringify(equation)}: ${what}`;

/** The labels of a term for a tensor of so many dimensions; of the result, for an ellipsis of so many. */
function labelsOf(equation: string, term: string, ellipsis: number): string[] {
  const dots = term.indexOf("...");
  const letters = term.replace("...", "");
  check(
    /^[A-Za-z]*$/.test(letters),
    () => fail(equation, `a term holds letters and at most one ellipsis, got ${JSON.stringify(term)}`),
    ValueError,
  );
  if (dots < 0) return [...letters];
  const inner = Array.from({ length: Math.max(0, ellipsis) }, (_, i) => `..${ellipsis - 1 - i}`);
  return [...letters.slice(0, dots), ...inner, ...letters.slice(dots)];
}

/** The equation's terms for these operands, and the labels of the result. */
function parsed(equation: string, operands: readonly Tensor[]): { terms: Labels[]; result: Labels } {
  check(
    typeof equation === "string",
    () => `[einsum] the equation must be text such as "ij,jk->ik", got ${told(equation)}`,
    ValueError,
  );
  const [left = "", right, ...rest] = equation.replace(/\s+/g, "").split("->");
  check(rest.length === 0, () => fail(equation, 'there is more than one "->"'), ValueError);
  const given = left.split(",");
  check(
    given.length === operands.length,
    () => fail(equation, `${given.length} terms stand for ${operands.length} tensors`),
    ValueError,
  );
  let most = 0;
  const terms = given.map((term, i) => {
    const letters = term.replace("...", "").length;
    const { shape, ndim } = operands[i] ?? { shape: [], ndim: 0 };
    const labels = labelsOf(equation, term, ndim - letters);
    check(
      labels.length === ndim,
      () => fail(equation, `${JSON.stringify(term)} does not have as many dimensions as tensor ${i}, ${show(shape)}`),
      ShapeError,
    );
    if (term.includes("...")) most = Math.max(most, ndim - letters);
    return labels;
  });
  const all = terms.flat();
  const dots = labelsOf(equation, "...", most);
  if (right === undefined) {
    const once = [...new Set(all)].filter(
      (label) => label.length === 1 && all.indexOf(label) === all.lastIndexOf(label),
    );
    return { terms, result: [...dots, ...once.sort()] };
  }
  const result = labelsOf(equation, right, most);
  check(
    new Set(result).size === result.length,
    () => fail(equation, "a letter stands twice in the result"),
    ValueError,
  );
  for (const label of result) {
    check(all.includes(label), () => fail(equation, `${label} of the result is in no term`), ValueError);
  }
  return { terms, result };
}

/** The operand with each of its labels once: of a letter that it has twice, the diagonal. */
function withoutRepeats(equation: string, { t, labels }: Operand): Operand {
  const second = labels.findIndex((label, i) => labels.indexOf(label) < i);
  if (second < 0) return { t, labels };
  const label = labels[second] ?? "";
  const first = labels.indexOf(label);
  const [a, b] = [t.shape[first] ?? 1, t.shape[second] ?? 1];
  check(
    a === b,
    () => fail(equation, `${label} stands for both ${a} and ${b} elements of ${show(t.shape)}`),
    ShapeError,
  );
  const others = labels.filter((_, d) => d !== first && d !== second);
  return withoutRepeats(equation, { t: diagonal(t, 0, first, second), labels: [...others, label] });
}

const sizeAt = ({ t, labels }: Operand, label: string): number => t.shape[labels.indexOf(label)] ?? 1;

/** Without these labels, by sums (of one element, by another shape). */
function summed({ t, labels }: Operand, drop: (label: string) => boolean): Operand {
  const dims = labels.flatMap((label, d) => (drop(label) ? [d] : []));
  if (dims.length === 0) return { t, labels };
  const rest = labels.filter((label) => !drop(label));
  const shape = t.shape.filter((_, d) => !dims.includes(d));
  const single = dims.every((d) => t.shape[d] === 1);
  return { t: single ? view("einsum", t, shape) : sum(t, dims), labels: rest };
}

/** With its labels in this order. */
function ordered({ t, labels }: Operand, order: Labels): Tensor {
  const dims = order.map((label) => labels.indexOf(label));
  return dims.every((d, i) => d === i) ? t : permute(t, dims);
}

/** The product of two operands, summed over what is not kept. */
function joined(x: Operand, y: Operand, kept: (label: string) => boolean): Operand {
  const inBoth = (label: string) => x.labels.includes(label) && y.labels.includes(label);
  // A dimension of one element beside one of several broadcasts: it goes away. One that only one side has is summed up first.
  const prepared = (self: Operand, other: Operand) =>
    summed(self, (label) =>
      inBoth(label)
        ? sizeAt(self, label) === 1 && sizeAt(other, label) !== 1
        : !kept(label) && !other.labels.includes(label),
    );
  const [a, b] = [prepared(x, y), prepared(y, x)];
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter(kept);
  const inner = shared.filter((label) => !kept(label));
  const [rows, columns] = [a.labels, b.labels].map((labels) => labels.filter((label) => !shared.includes(label)));
  const own = { a: rows ?? [], b: columns ?? [] };
  // What broadcast, and is not kept, only one side has left.
  const sizes = (operand: Operand, labels: Labels) => labels.map((label) => sizeAt(operand, label));
  const [b0, m0, n0, k0] = [sizes(a, batch), sizes(a, own.a), sizes(b, own.b), sizes(a, inner)];
  const left = ordered(a, [...batch, ...own.a, ...inner]);
  const right = ordered(b, [...batch, ...inner, ...own.b]);
  const [B, M, N, K] = [sizeOf(b0), sizeOf(m0), sizeOf(n0), sizeOf(k0)];
  const shape = [...b0, ...m0, ...n0];
  const labels = [...batch, ...own.a, ...own.b];
  if (inner.length === 0) {
    return {
      t: view("einsum", binary(binaries.mul, view("einsum", left, [B, M, 1]), view("einsum", right, [B, 1, N])), shape),
      labels,
    };
  }
  if (a.t.dtype !== "f32") {
    const products = binary(
      binaries.mul,
      view("einsum", left, [B, M, 1, K]),
      view("einsum", permute(view("einsum", right, [B, K, N]), [0, 2, 1]), [B, 1, N, K]),
    );
    return { t: view("einsum", sum(products, -1), shape), labels };
  }
  return {
    t: view("einsum", matmul(view("einsum", left, [B, M, K]), view("einsum", right, [B, K, N])), shape),
    labels,
  };
}

/**
 * Sums of products of tensors by letters for their dimensions: `einsum("bij,bjk->bik", a, b)` is a batch of matrix products. As PyTorch's: a letter
 * twice in a term is a diagonal, `...` stands for dimensions that broadcast, and without `->` the result has the letters that occur once,
 * in alphabetical order. f32, i32 or u32. Pairs of operands are multiplied from the left.
 * @throws ValueError for an equation that cannot be read. @throws ShapeError for tensors that do not fit it.
 * @see https://pytorch.org/docs/stable/generated/torch.einsum.html
 */
export function einsum(equation: string, ...operands: readonly Tensor[]): Tensor {
  const [only] = operands;
  const tensors =
    operands.length === 1 && Array.isArray(only) ? listed<Tensor>("einsum", "tensors", only as never) : operands;
  for (const [i, t] of tensors.entries()) {
    checkTensor("einsum", i, t);
    checkDtype("einsum", `tensor ${i}`, t.dtype, "f32", "i32", "u32");
  }
  const { terms, result } = parsed(equation, tensors);
  const known = new Map<string, number>();
  for (const [i, labels] of terms.entries()) {
    for (const [d, label] of labels.entries()) {
      const size = tensors[i]?.shape[d] ?? 1;
      const before = known.get(label) ?? 1;
      check(
        size === before || size === 1 || before === 1,
        () =>
          fail(equation, `${label.length > 1 ? "an ellipsis" : label} stands for both ${before} and ${size} elements`),
        ShapeError,
      );
      if (size !== 1) known.set(label, size);
    }
  }
  return scope(() => {
    const given = terms.map((labels, i) => {
      const t = tensors[i];
      checkTensor("einsum", i, t);
      return withoutRepeats(equation, { t, labels });
    });
    const whole = given.reduce((x, y, i) => {
      const later = new Set([...result, ...given.slice(i + 1).flatMap(({ labels }) => labels)]);
      return joined(x, y, (label) => later.has(label));
    });
    const last = summed(whole, (label) => !result.includes(label));
    const y = ordered(last, result);
    return y === tensors[0] ? view("einsum", y, y.shape) : y;
  });
}
