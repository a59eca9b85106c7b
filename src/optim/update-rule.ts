// UpdateRule: what an optimizer is, as a value: its state, its hyper-parameters and its formula.
import { check, checkFunction, checkOptions, ValueError } from "../errors.ts";
import { bindingElements, padded } from "../kernels/binding-parts.ts";
import { scope } from "../tensor/scope.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import type { HyperTable } from "./hyper-table.ts";
import { type Member, sideBySide, type UpdateKernel, update, updateKernel } from "./update-op.ts";

/** An optimizer as text: what it keeps of each parameter, the numbers it computes on the host, and its WGSL. */
export interface Formula<O> {
  /** Names the kernel: formulas of other texts have other names. */
  readonly name: string;
  /** At most three tensors of the parameter's shape, zero before the first step. */
  readonly state: readonly string[];
  /**
   * The numbers that the formula reads, always under the same names, at a parameter's `step`-th step, counted from 1. They
   * are computed in f64 and rounded once.
   */
  hyper(options: O, step: number): Readonly<Record<string, number>>;
  /**
   * WGSL statements that change `p` and the state, by their names, four elements at a time: `g` is the gradient, `h.NAME` a
   * hyper-parameter.
   */
  readonly wgsl: string;
  /**
   * For what looks at whole tensors: `wgsl` changes `g` and the state, `map` makes another gradient of `g` by operations, and
   * the formula itself takes that, and sees no state.
   */
  readonly before?: { readonly wgsl: string; map(g: Tensor): Tensor };
}

// What kernels are made of, by their names.
const texts = new Map<string, string>();

/** The kernel of update.wgsl with these hyper-parameters, state and statements, which stores `result`. */
function kernelOf(name: string, hyper: readonly string[], state: readonly string[], wgsl: string, result: "p" | "g") {
  const Hyper = `struct Hyper { ${hyper.map((key) => `${key}: f32`).join(", ")} }`;
  const advance = `fn advance(h: Hyper, parameter: vec4f, gradient: vec4f, i: u32) -> vec4f {
  var p = parameter;
  var g = gradient;
  ${state.map((s, k) => `var ${s} = s${k}[i];`).join(" ")}
  ${wgsl}
  ${state.map((s, k) => `s${k}[i] = ${s};`).join(" ")}
  return ${result};
}`;
  const text = Hyper + advance;
  check(
    (texts.get(name) ?? text) === text,
    () => `[UpdateRule] another formula is named "${name}" already: give this one a name of its own`,
    ValueError,
  );
  texts.set(name, text);
  return updateKernel({ Hyper, advance }, name);
}

interface Kernels {
  /** Null where the formula has nothing before it. */
  readonly before: UpdateKernel | null;
  readonly update: UpdateKernel;
}

/**
 * A formula with its kernels, made at the first step.
 * @throws ValueError for more state than a launch binds; at the first step, for a name that another formula has.
 */
export class UpdateRule<O> {
  /** The formula's state, by name. */
  readonly state: readonly string[];
  /** Parameters that one launch takes: what the eight storage bindings of a WebGPU device leave room for. */
  readonly slots: number;
  readonly #formula: Formula<O>;
  #kernels: Kernels | null = null;

  constructor(formula: Formula<O>) {
    checkOptions("UpdateRule", formula, ["name", "state", "hyper", "wgsl", "before"]);
    const { name, state } = formula;
    check(
      typeof name === "string" && typeof formula.wgsl === "string" && Array.isArray(state),
      () => "[UpdateRule] takes { name, state, hyper, wgsl }: two texts, a list of names and a function",
      ValueError,
    );
    checkFunction("UpdateRule", "hyper", formula.hyper);
    check(state.length <= 3, () => `[UpdateRule] "${name}" has ${state.length} states, at most 3 fit`, ValueError);
    this.#formula = formula;
    this.state = state;
    this.slots = state.length > 2 ? 2 : 3;
  }

  /** A row of the table that `run` reads. */
  hyper(options: O, step: number): number[] {
    return Object.values(this.#formula.hyper(options, step));
  }

  /** Updates parameters that share row `row` of the table and the options it was made of. `name` is the optimizer's. */
  run(name: string, options: O, table: HyperTable, row: number, members: readonly Member[]): void {
    const { before } = this.#formula;
    this.#kernels ??= this.#make(options);
    const { before: first, update: last } = this.#kernels;
    for (const launch of batches(members, this.slots, sideBySide)) {
      if (!before || !first) {
        update(name, last, table, row, launch);
        continue;
      }
      scope(() => {
        const pairs = launch.map((member) => ({ member, g: empty(member.p.shape, "f32", member.p.device) }));
        const changed = pairs.map(({ member, g }) => ({ ...member, p: g }));
        update(name, first, table, row, changed);
        const mapped = pairs.map(({ member: { p }, g }) => ({ p, g: before.map(g), state: [] }));
        update(name, last, table, row, mapped);
      });
    }
  }

  #make(options: O): Kernels {
    const { name, state, wgsl, before, hyper } = this.#formula;
    const names = Object.keys(hyper(options, 1));
    if (!before) return { before: null, update: kernelOf(name, names, state, wgsl, "p") };
    return {
      before: kernelOf(`${name} before`, names, state, before.wgsl, "g"),
      update: kernelOf(name, names, [], wgsl, "p"),
    };
  }
}

/**
 * Neighbours in lists of at most `most` whose elements fit a binding together (one alone may be of any size), and any two of
 * which go `together`.
 */
export function batches<T extends { readonly p: Tensor }>(
  items: readonly T[],
  most: number,
  together: (one: T, other: T) => boolean = () => true,
): T[][] {
  const lists: T[][] = [];
  let elements = 0;
  for (const item of items) {
    const size = padded(item.p.numel);
    elements += size;
    const list = lists.at(-1);
    const room = list && list.length < most && elements <= bindingElements(item.p.device.info);
    if (room && list.every((one) => together(one, item))) list.push(item);
    else {
      lists.push([item]);
      elements = size;
    }
  }
  return lists;
}
