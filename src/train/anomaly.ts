// detectAnomaly: the first operation of a step whose result, or gradient, is not finite.
import { noGrad } from "../autograd/mode.ts";
import type { Node } from "../autograd/node.ts";
import type { AnyOp, Inputs, Outputs } from "../autograd/op.ts";
import type { Trace } from "../autograd/trace.ts";
import { watchedModules } from "../capture/structure.ts";
import { context, within } from "../context.ts";
import {
  AnomalyError,
  check,
  checkFunction,
  checkOptions,
  checkSynchronous,
  type NotPromise,
  StateError,
} from "../errors.ts";
import { Module } from "../nn/module.ts";
import { eq } from "../ops/arithmetic.ts";
import { stack } from "../ops/cat.ts";
import { isfinite, isnan } from "../ops/math.ts";
import { all } from "../ops/reduce.ts";
import { reshape } from "../ops/view.ts";
import { keep, scope } from "../tensor/scope.ts";
import type { Storage } from "../tensor/storage.ts";
import { Tensor } from "../tensor/tensor.ts";

/** A tensor that was looked at. */
interface Seen {
  readonly operation: string;
  /** The module whose forward ran. */
  readonly module: object | null;
  readonly kind: AnomalyError["kind"];
  /** Which of the operation's inputs or outputs. */
  readonly index: number;
  /** An input that no operation made: what may be a module's parameter. */
  readonly given: Tensor | null;
  /** i32 []: 1 where it is as it should be. */
  readonly flag: Tensor;
}

/** Looks at every result and gradient. */
class Watch implements Trace {
  readonly seen: Seen[] = [];
  readonly #nanOnly: boolean;
  readonly #known = new Set<Storage>();
  readonly #modules = new WeakMap<Node, object | null>();
  #deriving = false;

  constructor(nanOnly: boolean) {
    this.#nanOnly = nanOnly;
  }

  apply(): null {
    return null;
  }

  write(): void {}

  applied(op: AnyOp, inputs: Inputs, outputs: Outputs): void {
    check(
      context.capture === null,
      () =>
        "[detectAnomaly] fn runs a captured step, whose operations are not seen: call the step that was given to capture",
      StateError,
    );
    if (this.#deriving) return;
    const { module } = context;
    for (const [index, given] of inputs.entries()) {
      if (!given || this.#known.has(given.storage)) continue;
      this.#look(given, { operation: op.name, module, kind: "input", index, given });
    }
    for (const [index, output] of outputs.entries()) {
      if (output.gradFn) this.#modules.set(output.gradFn, module);
      this.#look(output, { operation: op.name, module, kind: "output", index, given: null });
    }
  }

  derive(node: Node, run: () => readonly (Tensor | null)[] | null): readonly (Tensor | null)[] | null {
    this.#deriving = true;
    try {
      const gradients = run();
      const module = this.#modules.get(node) ?? null;
      for (const [index, gradient] of gradients?.entries() ?? [])
        if (gradient) this.#look(gradient, { operation: node.name, module, kind: "gradient", index, given: null });
      return gradients;
    } finally {
      this.#deriving = false;
    }
  }

  #look(t: Tensor, seen: Omit<Seen, "flag">): void {
    this.#known.add(t.storage);
    if (t.dtype !== "f32" || t.numel === 0) return;
    // On its own: fused with what looks at it, it would be computed twice.
    context.pending?.run();
    const flag = within({ trace: null }, () =>
      noGrad(() =>
        scope(() => {
          const flat = reshape(t.detach(), [t.numel]);
          return keep(all(this.#nanOnly ? eq(isnan(flat), 0) : isfinite(flat)));
        }),
      ),
    );
    this.seen.push({ ...seen, flag });
  }
}

/**
 * Runs a step, `fn`, and looks at the result of every operation and, in `backward`, at every gradient. Where all are finite it gives
 * what `fn` gave; else it names the first that is not, by operation and path of the module. Slow, as nothing is fused: for finding what
 * makes a loss NaN.
 *
 * ```ts
 * await detectAnomaly(() => F.crossEntropy(model.forward(images), labels).backward());
 * ```
 * @throws AnomalyError for a result or gradient with NaN or an infinity; StateError where `fn` runs a captured step or returns a
 *   promise
 * @see https://pytorch.org/docs/stable/autograd.html#anomaly-detection
 */
export async function detectAnomaly<T>(
  fn: () => NotPromise<T>,
  options: {
    /** Let infinities be, as those of attention masks: NaN alone counts. Default false. */
    nanOnly?: boolean;
  } = {},
): Promise<T> {
  checkFunction("detectAnomaly", "the step", fn);
  checkOptions("detectAnomaly", options, ["nanOnly"]);
  const watch = new Watch(options.nanOnly === true);
  try {
    const result = within({ trace: watch }, fn);
    checkSynchronous("detectAnomaly", "the step", result);
    const first = await firstOf(watch.seen);
    if (!first) return result;
    if (result instanceof Tensor) result.dispose();
    throw errorOf(first);
  } finally {
    for (const { flag } of watch.seen) flag.dispose();
  }
}

async function firstOf(seen: readonly Seen[]): Promise<Seen | undefined> {
  if (seen.length === 0) return undefined;
  const flags = noGrad(() => stack(seen.map(({ flag }) => flag)));
  const values = await flags.data().finally(() => flags.dispose());
  return seen.find((_, i) => values[i] === 0);
}

function errorOf({ operation, module, kind, index, given }: Seen): AnomalyError {
  const path = pathOf(module);
  const parameter = module && given && Object.entries(module).find(([, value]) => value === given)?.[0];
  const what = {
    input: `input ${index} of ${operation}${parameter ? `, the module's ${parameter},` : ""}`,
    output: `the result of ${operation}`,
    gradient: `the gradient of input ${index} of ${operation}`,
  }[kind];
  const where = module === null ? "outside of modules" : path === "" ? `in ${module.constructor.name}` : `in ${path}`;
  const why = kind === "input" ? ": it came so" : ", and what it was made of is";
  return new AnomalyError(`[detectAnomaly] ${what} is not finite (${where})${why}`, { operation, module: path, kind });
}

/** The path of a module in the outermost one that holds it; "" for one that none holds. */
function pathOf(module: object | null): string {
  let longest = "";
  for (const root of watchedModules()) {
    if (!(root instanceof Module) || module === null) continue;
    for (const [path, found] of root.namedModules())
      if (found === module && path.split(".").length >= longest.split(".").length && path !== "") longest = path;
  }
  return longest;
}
