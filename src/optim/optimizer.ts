// Optimizer: parameter groups, per-parameter state and state dicts; what a step does with them is the subclass's rule.
import { noGrad } from "../autograd/mode.ts";
import { deviceOf } from "../autograd/run.ts";
import { beforeReplay, guard } from "../capture/hooks.ts";
import { context } from "../context.ts";
import { check, checkOptions, listed, StateDictError, StateError, told, ValueError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import { copy_ } from "../tensor/copy.ts";
import { zeros } from "../tensor/create.ts";
import { keep } from "../tensor/scope.ts";
import { sameShape, show } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { HyperTable } from "./hyper-table.ts";
import { checkHyper } from "./optimizer-options.ts";
import { zerosSideBySide } from "./state-buffer.ts";
import type { Member } from "./update-op.ts";
import { batches, type UpdateRule } from "./update-rule.ts";

/** Parameters that share hyper-parameters. Assign to `lr` and the others at any time. */
export type ParamGroup<O> = O & {
  /** The parameters, in the order in which they were given. */
  readonly params: Tensor[];
  /** Set by the first scheduler: the learning rate that it starts from. */
  initialLr?: number;
};

/** Parameters, or groups of them with their own hyper-parameters. */
export type ParamsInput<O> = Iterable<Tensor> | Iterable<GivenGroup<O>>;

/** Hyper-parameters left out are the optimizer's defaults. */
export type GivenGroup<O> = Partial<O> & {
  /** The parameters: `model.parameters()`, or those of a part of it. */
  readonly params: Iterable<Tensor>;
};

const PARAMETERS = "parameters: pass model.parameters(), or groups { params, lr, ... }";

/** What an optimizer knows of one parameter. */
interface ParamState {
  /** Steps taken since the parameter was first updated. */
  steps: number;
  readonly tensors: Map<string, Tensor>;
}

/** What parameters share that belong to one group and have taken equally many steps: a row of hyper-parameters. */
interface Cohort<O> {
  readonly group: ParamGroup<O>;
  readonly rule: UpdateRule<O>;
  readonly members: Member[];
  readonly states: ParamState[];
}

/** In PyTorch's layout: state by parameter index, groups with indices in place of parameters. */
export interface OptimizerStateDict {
  /** By index of the parameter: `step`, and tensors of its shape. */
  readonly state: Readonly<Record<number, Readonly<Record<string, Tensor | number>>>>;
  /** Hyper-parameters by name, and the indices of the parameters. */
  readonly paramGroups: readonly { readonly params: readonly number[]; readonly [option: string]: unknown }[];
}

/**
 * Base class of optimizers: parameters in groups, state for each of them, and a step that updates those with a
 * gradient.
 * Subclasses give the rule.
 * @see https://pytorch.org/docs/stable/optim.html#torch.optim.Optimizer
 */
export abstract class Optimizer<O extends { lr: number } = { lr: number }> {
  /** What groups take where they say nothing else. */
  readonly defaults: Readonly<O>;
  /**
   * The groups: `optimizer.paramGroups[0].lr = 1e-4` changes the learning rate from the next step on, captured steps
   * included.
   */
  readonly paramGroups: [ParamGroup<O>, ...ParamGroup<O>[]];
  readonly #states = new Map<Tensor, ParamState>();
  /** By number of the step in a capture: a captured step may take several. Outside of captures it is 0. */
  readonly #tables = new Map<number, HyperTable>();
  /** How many steps each capture in progress has recorded. */
  readonly #recorded = new WeakMap<object, number>();
  /** Counts changes of groups and of state: a step captured before one must be recorded again. */
  #structure = 0;

  /**
   * @throws ValueError without parameters, for one that is no leaf or appears twice, or for a hyper-parameter out of
   * range; DeviceError for parameters on several devices.
   */
  constructor(params: ParamsInput<O>, defaults: O) {
    this.defaults = defaults;
    const given = listed(this.name, PARAMETERS, params as Iterable<Tensor | GivenGroup<O>>);
    check(given.length > 0, () => `[${this.name}] got no parameters to optimize`, ValueError);
    const tensors = given.filter((item) => item instanceof Tensor);
    const groups = given.filter((item): item is GivenGroup<O> => !(item instanceof Tensor));
    check(tensors.length === 0 || groups.length === 0, () => `[${this.name}] got tensors and groups mixed`, ValueError);
    const list: ParamGroup<O>[] = [];
    this.paramGroups = list as [ParamGroup<O>, ...ParamGroup<O>[]];
    if (tensors.length > 0) this.#addGroup({ ...defaults, params: tensors });
    for (const group of groups) this.addParamGroup(group);
  }

  /** The class, for error messages and profiles. */
  get name(): string {
    return this.constructor.name;
  }

  /** State, hyper-parameters and formula for a group: the same value as long as they are the same, not a new one each time. */
  protected abstract rule(group: O): UpdateRule<O>;

  /** Throws `ValueError` for options or parameters that the optimizer does not take, beyond the range of the usual options. */
  protected checkGroup(_group: ParamGroup<O>): void {}

  /** Adds parameters, e.g. a released backbone. */
  addParamGroup(group: GivenGroup<O>): void {
    const params = listed(this.name, PARAMETERS, group?.params);
    checkOptions(this.name, group, this.#optionNames());
    this.#addGroup({ ...this.defaults, ...group, params });
  }

  #optionNames(): string[] {
    return ["params", "initialLr", ...Object.keys(this.defaults)];
  }

  #addGroup(group: ParamGroup<O>): void {
    checkHyper(this.name, group, this.defaults);
    check(group.params.length > 0, () => `[${this.name}] got a group without parameters`, ValueError);
    const known = new Set(this.paramGroups.flatMap((g) => g.params));
    for (const [i, p] of group.params.entries()) {
      check(
        p instanceof Tensor,
        () => `[${this.name}] parameter ${i} is not a tensor: pass model.parameters(), or groups { params, lr, ... }`,
        ValueError,
      );
      check(
        p.isLeaf,
        () => `[${this.name}] parameter ${i} is the result of an operation, only leaves can be trained`,
        ValueError,
      );
      check(!known.has(p), () => `[${this.name}] parameter ${i} ${show(p.shape)} appears twice`, ValueError);
      known.add(p);
    }
    this.checkGroup(group);
    deviceOf(this.name, [...known]);
    this.paramGroups.push(group);
    this.#restructure();
  }

  /** Drops the gradients, or with `setToNull: false` fills them with zeros. */
  zeroGrad(
    options: {
      /** False: fill them with zeros instead. Default true. */
      setToNull?: boolean;
    } = {},
  ): void {
    checkOptions("zeroGrad", options, ["setToNull"]);
    for (const group of this.paramGroups) {
      for (const p of group.params) {
        const fill = !(options.setToNull ?? true) && p.hasGrad;
        p.grad = fill ? keep(zeros(p.shape, { device: p.device })) : null;
      }
    }
  }

  /**
   * Updates every parameter that has a gradient and requires one. The others are left alone, and get no state before
   * their first update: each parameter counts its own steps.
   */
  step(): void {
    guard(this, () => this.#structure);
    const cohorts = this.paramGroups.flatMap((group) => this.#cohorts(group));
    const device = deviceOf(
      this.name,
      cohorts.flatMap(({ members }) => members.map(({ p }) => p)),
    );
    if (!device) return;
    const table = this.#table(device);
    this.#advance(cohorts, table);
    noGrad(() => {
      for (const [row, { group, rule, members }] of cohorts.entries()) rule.run(this.name, group, table, row, members);
    });
    const recorded = cohorts.map(({ group, rule, states }) => ({ group, rule, states }));
    beforeReplay(() => {
      check(
        recorded.every(({ states }) => states.every(({ steps }) => steps === states[0]?.steps)),
        () =>
          `[${this.name}] parameters were stepped apart since this step was captured: dispose() the captured step, it is then recorded again`,
        StateError,
      );
      this.#advance(recorded, table);
    });
  }

  /** The parameters of a group that a step updates, by how many they have taken. What they lack of state is created. */
  #cohorts(group: ParamGroup<O>): Cohort<O>[] {
    guard(group, () => this.rule(group));
    const rule = this.rule(group);
    const params = group.params.flatMap((p) => {
      const g = p.requiresGrad ? p.grad : null;
      return g ? [{ p, g }] : [];
    });
    this.#createState(params, rule);
    const cohorts = new Map<number, Cohort<O>>();
    for (const { p, g } of params) {
      const state = this.#stateOf(p);
      const cohort = cohorts.get(state.steps) ?? { group, rule, members: [], states: [] };
      cohorts.set(state.steps, cohort);
      cohort.members.push({ p, g, state: rule.state.flatMap((name) => state.tensors.get(name) ?? []) });
      cohort.states.push(state);
    }
    return [...cohorts.values()];
  }

  #stateOf(p: Tensor): ParamState {
    const state = this.#states.get(p) ?? { steps: 0, tensors: new Map() };
    this.#states.set(p, state);
    return state;
  }

  #createState(params: readonly { readonly p: Tensor }[], rule: UpdateRule<O>): void {
    for (const name of rule.state) {
      const lacking = params.filter(({ p }) => !this.#stateOf(p).tensors.has(name));
      for (const batch of batches(lacking, rule.slots)) {
        for (const [p, state] of zerosSideBySide(batch.map(({ p }) => p))) this.#stateOf(p).tensors.set(name, state);
      }
    }
  }

  /** The hyper-parameters of the next step: of each cohort a row. */
  #table(device: Device): HyperTable {
    const { capture } = context;
    const at = (capture && this.#recorded.get(capture)) ?? 0;
    if (capture) this.#recorded.set(capture, at + 1);
    const rows = this.paramGroups.reduce((sum, { params }) => sum + params.length, 0);
    const table = this.#tables.get(at) ?? new HyperTable(device, rows);
    this.#tables.set(at, table);
    return table;
  }

  /** Counts a step, and uploads what depends on the count or has been changed in the groups. */
  #advance(cohorts: readonly Pick<Cohort<O>, "group" | "rule" | "states">[], table: HyperTable): void {
    const rows = cohorts.map(({ group, rule, states }) => {
      let step = 0;
      for (const state of states) step = ++state.steps;
      return rule.hyper(group, step);
    });
    table.write(rows);
  }

  /**
   * State and hyper-parameters, parameters numbered in the order of the groups. The tensors are detached, share the
   * optimizer's storage, and are the caller's to dispose.
   */
  stateDict(): OptimizerStateDict {
    const state: Record<number, Record<string, Tensor | number>> = {};
    let count = 0;
    const paramGroups = this.paramGroups.map((group) => {
      const params = group.params.map((p) => {
        const index = count++;
        const known = this.#states.get(p);
        if (known) {
          const tensors = [...known.tensors].map(([name, tensor]) => [name, tensor.detach()] as const);
          state[index] = { step: known.steps, ...Object.fromEntries(tensors) };
        }
        return index;
      });
      return { ...group, params };
    });
    return { state, paramGroups };
  }

  /**
   * Takes over hyper-parameters and state; the tensors are copied. Nothing changes when an error is found.
   * @throws StateDictError for other numbers of groups or parameters, a hyper-parameter of another type or out of its range,
   * missing state, or a state of another shape.
   */
  loadStateDict(dict: OptimizerStateDict): void {
    check(
      Array.isArray(dict?.paramGroups) && dict.paramGroups.every((g) => Array.isArray(g?.params)) && !!dict.state,
      () =>
        `[loadStateDict] ${told(dict)} is no state dict of an optimizer: pass { state, paramGroups }, as stateDict() gives them`,
      StateDictError,
    );
    const sizes = (groups: readonly { params: readonly unknown[] }[]) => show(groups.map((g) => g.params.length));
    check(
      sizes(dict.paramGroups) === sizes(this.paramGroups),
      () =>
        `[loadStateDict] groups of ${sizes(dict.paramGroups)} parameters do not fit this ${this.name}'s groups of ${sizes(this.paramGroups)}`,
      StateDictError,
    );
    let count = 0;
    const found = this.paramGroups.map((group, g) => {
      const given = dict.paramGroups[g];
      const options = { ...given, params: group.params } as ParamGroup<O>;
      checkOptions("loadStateDict", options, this.#optionNames(), StateDictError);
      checkHyper("loadStateDict", options, this.defaults, StateDictError);
      this.checkGroup(options);
      const rule = this.rule(options);
      const saved = group.params.map((p, i) => savedState(p, count++, rule.state, dict.state[given?.params[i] ?? -1]));
      return { group, options, rule, saved };
    });
    for (const { group, options, rule, saved } of found) {
      Object.assign(group, options);
      for (const { p, step } of saved) if (step === 0) this.#forget(p);
      const kept = saved.filter(({ step }) => step > 0);
      this.#createState(kept, rule);
      for (const { p, step, tensors } of kept) {
        const state = this.#stateOf(p);
        state.steps = step;
        for (const [name, tensor] of tensors) {
          const target = state.tensors.get(name);
          if (target) copy_(target, tensor);
        }
      }
    }
  }

  #forget(p: Tensor): void {
    const state = this.#states.get(p);
    if (!state) return;
    for (const tensor of state.tensors.values()) tensor.dispose();
    this.#states.delete(p);
    this.#restructure();
  }

  /** Steps captured so far are of no use any more. */
  #restructure(): void {
    this.#structure++;
    for (const table of this.#tables.values()) table.dispose();
    this.#tables.clear();
  }

  /** Frees the state. The parameters stay. */
  dispose(): void {
    for (const p of [...this.#states.keys()]) this.#forget(p);
    this.#restructure();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The hyper-parameters of each group, in PyTorch's form: a line each, by name. */
  toString(): string {
    const groups = this.paramGroups.map(({ params, ...options }, i) => {
      const lines = Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1));
      return [`Parameter Group ${i}`, ...lines.map(([name, value]) => `    ${name}: ${JSON.stringify(value)}`)];
    });
    return `${this.name} (\n${groups.flat().join("\n")}\n)`;
  }

  // What console.log shows in Node.
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** What a state dict has of a parameter; step 0 for nothing. Throws `StateDictError` where it does not fit. */
function savedState(
  p: Tensor,
  index: number,
  names: readonly string[],
  saved: Readonly<Record<string, Tensor | number>> | undefined,
): { readonly p: Tensor; readonly step: number; readonly tensors: readonly (readonly [string, Tensor])[] } {
  if (!saved) return { p, step: 0, tensors: [] };
  const { step } = saved;
  check(
    typeof step === "number" && Number.isInteger(step) && step >= 0,
    () => `[loadStateDict] parameter ${index} lacks its step count`,
    StateDictError,
  );
  const tensors = names.map((name) => {
    const { [name]: tensor } = saved;
    check(tensor instanceof Tensor, () => `[loadStateDict] parameter ${index} lacks ${name}`, StateDictError);
    check(
      sameShape(tensor.shape, p.shape),
      () => `[loadStateDict] parameter ${index}: ${name} has shape ${show(tensor.shape)}, expected ${show(p.shape)}`,
      StateDictError,
    );
    check(
      tensor.dtype === "f32",
      () => `[loadStateDict] parameter ${index}: ${name} is ${tensor.dtype}, expected f32`,
      StateDictError,
    );
    return [name, tensor] as const;
  });
  return { p, step, tensors };
}
