// Optimizer: parameter groups, per-parameter state and state dicts; what a kernel does with them is the subclass's.
import { onReplay, unrecorded } from "../autograd/capture_hooks.ts";
import { check, StateDictError, StateError, ValueError } from "../errors.ts";
import { currentDevice } from "../gpu/device.ts";
import type { Shader } from "../gpu/pipeline.ts";
import { grid1d } from "../gpu/queue.ts";
import { bindingElements, partOf, ranges } from "../kernels/parts.ts";
import { copy_ } from "../tensor/copy.ts";
import { zeros } from "../tensor/create.ts";
import { structureChanged } from "../tensor/leaf_watch.ts";
import { keep } from "../tensor/scope.ts";
import { sameShape, show } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { Cohort } from "./hyper.ts";

/** Parameters that share hyper-parameters. Assign to `lr` and the others at any time. */
export type ParamGroup<O> = O & {
  readonly params: Tensor[];
  /** Set by the first scheduler: the learning rate that it starts from. */
  initialLr?: number;
};

/** Parameters, or groups of them with their own hyper-parameters. */
export type ParamsInput<O> = Iterable<Tensor> | Iterable<GivenGroup<O>>;

/** Hyper-parameters left out are the optimizer's defaults. */
export type GivenGroup<O> = Partial<O> & { readonly params: Iterable<Tensor> };

/** What an optimizer knows of one parameter. */
interface ParamState {
  /** Steps taken since the parameter was first updated. */
  steps: number;
  readonly tensors: Record<string, Tensor>;
  cohort: Cohort;
}

/** A parameter that takes part in a step. */
interface Active<O> {
  readonly group: ParamGroup<O>;
  readonly p: Tensor;
  readonly state: ParamState;
}

/** In PyTorch's layout: state by parameter index, groups with indices in place of parameters. */
export interface OptimizerStateDict {
  readonly state: Readonly<Record<number, Readonly<Record<string, Tensor | number>>>>;
  readonly paramGroups: readonly { readonly params: readonly number[]; readonly [option: string]: unknown }[];
}

/** A kernel and the names of the state tensors that it binds after hyper, gradient and parameter. */
export interface Update {
  readonly shader: Shader;
  readonly state: readonly string[];
}

/** Elements per workgroup of the update kernels. */
const PER_WORKGROUP = 64 * 8 * 4;

export abstract class Optimizer<O extends { lr: number } = { lr: number }> {
  readonly defaults: Readonly<O>;
  readonly paramGroups: [ParamGroup<O>, ...ParamGroup<O>[]];
  readonly #states = new Map<Tensor, ParamState>();
  readonly #cohorts = new Map<ParamGroup<O>, Cohort[]>();

  /**
   * @throws ValueError without parameters, for one that is no leaf or appears twice, or for a hyper-parameter out of
   * range.
   */
  constructor(params: ParamsInput<O>, defaults: O) {
    this.defaults = defaults;
    const given: (Tensor | GivenGroup<O>)[] = [...params];
    check(given.length > 0, () => `[${this.name}] got no parameters to optimize`, ValueError);
    const tensors = given.filter((item) => item instanceof Tensor);
    const groups = given.filter((item): item is GivenGroup<O> => !(item instanceof Tensor));
    check(tensors.length === 0 || groups.length === 0, () => `[${this.name}] got tensors and groups mixed`, ValueError);
    const list: ParamGroup<O>[] = [];
    this.paramGroups = list as [ParamGroup<O>, ...ParamGroup<O>[]];
    if (tensors.length > 0) this.#addGroup({ ...defaults, params: tensors });
    for (const group of groups) this.#addGroup({ ...defaults, ...group, params: [...group.params] });
  }

  get name(): string {
    return this.constructor.name;
  }

  /** Throws `ValueError` for hyper-parameters out of range. */
  protected abstract checkOptions(options: O): void;
  /** The words of the kernel's `Hyper` block at a parameter's `step`-th step, counted from 1. */
  protected abstract hyper(group: O, step: number): number[];
  protected abstract update(group: O): Update;

  /** Adds parameters, e.g. a released backbone. */
  addParamGroup(group: GivenGroup<O>): void {
    this.#addGroup({ ...this.defaults, ...group, params: [...group.params] });
  }

  #addGroup(group: ParamGroup<O>): void {
    this.checkOptions(group);
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
    this.paramGroups.push(group);
    structureChanged();
    this.#cohorts.set(group, []);
  }

  /** Drops the gradients, or with `setToNull: false` fills them with zeros. */
  zeroGrad(options: { setToNull?: boolean } = {}): void {
    for (const group of this.paramGroups) {
      for (const p of group.params) {
        if (options.setToNull ?? true) p.grad = null;
        else if (p.grad) p.grad = keep(zeros(p.shape));
      }
    }
  }

  /**
   * Updates every parameter that has a gradient and requires one. The others are left alone, and get no state before
   * their first update: each parameter counts its own steps.
   */
  step(): void {
    const { queue, info } = currentDevice();
    const active = this.#active();
    this.#advance(active);
    const outer = queue.origin;
    for (const { group, p, state } of active) {
      const { shader, state: names } = this.update(group);
      const tensors = [p.grad!, p, ...names.map((name) => state.tensors[name]!)];
      p.storage.version++;
      queue.origin = { name: this.name, inputs: [p, p.grad!] };
      try {
        for (const [first, count] of ranges(p.numel, bindingElements(info))) {
          const parts = tensors.map((t) => partOf(t.storage, first, count));
          queue.dispatch(shader, [state.cohort.tensor.storage, ...parts], [count], grid1d(count, PER_WORKGROUP));
        }
      } finally {
        queue.origin = outer;
      }
    }
    this.#onReplay(active);
  }

  /** The parameters that this step updates, with their state. */
  #active(): Active<O>[] {
    return this.paramGroups.flatMap((group) => {
      const { state: names } = this.update(group);
      return group.params
        .filter((p) => p.requiresGrad && p.grad !== null)
        .map((p) => ({ group, p, state: this.#stateOf(p, group, names) }));
    });
  }

  /** The state of a parameter; what it lacks is created. */
  #stateOf(p: Tensor, group: ParamGroup<O>, names: readonly string[]): ParamState {
    const state = this.#states.get(p) ?? { steps: 0, tensors: {}, cohort: this.#cohort(group, 0) };
    this.#states.set(p, state);
    for (const name of names) state.tensors[name] ??= unrecorded(() => keep(zeros(p.shape)));
    return state;
  }

  /** The cohort of a group's parameters that have taken `steps` steps. */
  #cohort(group: ParamGroup<O>, steps: number): Cohort {
    const cohorts = this.#cohorts.get(group)!;
    const known = cohorts.find((cohort) => cohort.steps === steps);
    if (known) return known;
    const cohort = new Cohort();
    cohort.steps = steps;
    cohorts.push(cohort);
    return cohort;
  }

  /** Counts a step of these parameters, and uploads what depends on the count. */
  #advance(active: readonly Active<O>[]): void {
    const moved = new Set<Cohort>();
    for (const { group, state } of active) {
      state.steps++;
      // A parameter that sat out some steps leaves its cohort for one with its own count.
      if (!moved.has(state.cohort)) state.cohort.steps = state.steps;
      else if (state.cohort.steps !== state.steps) state.cohort = this.#cohort(group, state.steps);
      moved.add(state.cohort);
    }
    this.syncHyper();
  }

  /** Registers the host's part of this step with a capture in progress. */
  #onReplay(active: readonly Active<O>[]): void {
    const recorded = active.map((entry) => ({
      ...entry,
      cohort: entry.state.cohort,
      shader: this.update(entry.group).shader,
    }));
    onReplay(() => {
      // The captured kernels are bound to these cohorts.
      const counts = new Map<Cohort, number>();
      for (const { state, cohort } of recorded) if (!counts.has(cohort)) counts.set(cohort, state.steps);
      check(
        recorded.every((r) => counts.get(r.cohort) === r.state.steps && this.update(r.group).shader === r.shader),
        () =>
          `[${this.name}] parameters were stepped apart, or options such as amsgrad changed, since this step was captured: dispose() the captured step, it is then recorded again`,
        StateError,
      );
      for (const { state, cohort } of recorded) state.cohort = cohort;
      this.#advance(recorded);
    });
  }

  /**
   * Uploads the hyper-parameters that changed since the last step. `step` and a captured step's replay do it by
   * themselves.
   */
  syncHyper(): void {
    for (const group of this.paramGroups) {
      for (const cohort of this.#cohorts.get(group) ?? []) {
        if (cohort.steps > 0) cohort.sync(this.hyper(group, cohort.steps));
      }
    }
  }

  /**
   * State and hyper-parameters, parameters numbered in the order of the groups. The tensors are detached, share the
   * optimizer's storage, and are the caller's to dispose.
   */
  stateDict(): OptimizerStateDict {
    const all = this.paramGroups.flatMap((group) => group.params);
    const index = new Map(all.map((p, i) => [p, i]));
    const state: Record<number, Record<string, Tensor | number>> = {};
    for (const [i, p] of all.entries()) {
      const known = this.#states.get(p);
      if (!known) continue;
      state[i] = { step: known.steps };
      for (const [name, tensor] of Object.entries(known.tensors)) state[i][name] = tensor.detach();
    }
    const paramGroups = this.paramGroups.map((group) => ({ ...group, params: group.params.map((p) => index.get(p)!) }));
    return { state, paramGroups };
  }

  /**
   * Takes over hyper-parameters and state; the tensors are copied. Nothing changes when an error is found.
   * @throws StateDictError for other numbers of groups or parameters, missing state, or a state of another shape.
   */
  loadStateDict(dict: OptimizerStateDict): void {
    const expectFit = (condition: boolean, message: () => string) =>
      check(condition, () => `[loadStateDict] ${message()}`, StateDictError);
    const sizes = (groups: readonly { params: readonly unknown[] }[]) => show(groups.map((g) => g.params.length));
    expectFit(
      sizes(dict.paramGroups) === sizes(this.paramGroups),
      () =>
        `groups of ${sizes(dict.paramGroups)} parameters do not fit this ${this.name}'s groups of ${sizes(this.paramGroups)}`,
    );
    const pairs = this.paramGroups.flatMap((group, g) =>
      group.params.map((p, i) => ({ group, p, saved: dict.state[dict.paramGroups[g]!.params[i]!] })),
    );
    for (const [i, { group, p, saved }] of pairs.entries()) {
      if (!saved) continue;
      expectFit(Number.isInteger(saved.step), () => `parameter ${i} lacks its step count`);
      for (const name of this.update(group).state) {
        const tensor = saved[name];
        expectFit(tensor instanceof Tensor, () => `parameter ${i} lacks ${name}`);
        const shape = (tensor as Tensor).shape;
        expectFit(
          sameShape(shape, p.shape),
          () => `parameter ${i}: ${name} has shape ${show(shape)}, expected ${show(p.shape)}`,
        );
      }
    }
    for (const [g, group] of this.paramGroups.entries())
      Object.assign(group, { ...dict.paramGroups[g], params: group.params });
    for (const { group, p, saved } of pairs) {
      if (!saved) {
        this.#forget(p);
        continue;
      }
      const state = this.#stateOf(p, group, this.update(group).state);
      for (const [name, tensor] of Object.entries(state.tensors)) copy_(tensor, saved[name] as Tensor);
      state.steps = saved.step as number;
    }
  }

  #forget(p: Tensor): void {
    if (this.#states.has(p)) structureChanged();
    for (const tensor of Object.values(this.#states.get(p)?.tensors ?? {})) tensor.dispose();
    this.#states.delete(p);
  }

  /** Frees the state. The parameters stay. */
  dispose(): void {
    for (const p of [...this.#states.keys()]) this.#forget(p);
    for (const cohorts of this.#cohorts.values()) for (const cohort of cohorts.splice(0)) cohort.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
