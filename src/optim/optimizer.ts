// Optimizer: parameter groups, per-parameter state and state dicts; what a kernel does with them is the subclass's.
import { beforeReplay, guard } from "../capture/hooks.ts";
import { within } from "../context.ts";
import { check, StateDictError, StateError, ValueError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import { copy_ } from "../tensor/copy.ts";
import { zeros } from "../tensor/create.ts";
import { keep } from "../tensor/scope.ts";
import { sameShape, show } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type Bundle, bundlesOf, spareBuffer, type Update } from "./bundle.ts";
import { Cohort } from "./cohort.ts";

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
  readonly bundle: Bundle;
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

export abstract class Optimizer<O extends { lr: number } = { lr: number }> {
  readonly defaults: Readonly<O>;
  readonly paramGroups: [ParamGroup<O>, ...ParamGroup<O>[]];
  readonly #states = new Map<Tensor, ParamState>();
  readonly #cohorts = new Map<ParamGroup<O>, Cohort[]>();
  #spare: Tensor | null = null;
  /** Counts changes of groups and of state: a step captured before one must be recorded again. */
  #structure = 0;

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
    this.#structure++;
    this.#cohorts.set(group, []);
  }

  /** Drops the gradients, or with `setToNull: false` fills them with zeros. */
  zeroGrad(options: { setToNull?: boolean } = {}): void {
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
    const active = this.#active();
    this.#advance(active);
    this.#spare ??= spareBuffer();
    for (const launch of this.#launches(active)) {
      const [{ group, state, p }] = launch;
      const params = launch.map((entry) => entry.p);
      const origin = { name: this.name, inputs: [p, p.grad!] };
      const spare = this.#spare;
      within({ origin }, () => state.bundle.launch(this.update(group), state.cohort.tensor.storage, params, spare));
    }
    this.#onReplay(active);
  }

  /** Neighbours of one bundle that have taken equally many steps, as many as a launch takes. */
  #launches(active: readonly Active<O>[]): [Active<O>, ...Active<O>[]][] {
    const launches: [Active<O>, ...Active<O>[]][] = [];
    for (const entry of active) {
      const launch = launches.at(-1);
      const { state, group, p } = entry;
      const fits =
        launch?.[0].state.bundle === state.bundle &&
        launch[0].state.cohort === state.cohort &&
        launch.length < this.update(group).slots &&
        // A launch may write each buffer through one binding only.
        launch.every((other) => other.p.storage !== p.storage);
      if (fits) launch.push(entry);
      else launches.push([entry]);
    }
    return launches;
  }

  /** The parameters that this step updates, with their state. */
  #active(): Active<O>[] {
    return this.paramGroups.flatMap((group) => {
      const params = group.params.filter((p) => p.requiresGrad && p.grad !== null);
      return this.#statesOf(params, group).map((state, i) => ({ group, p: params[i]!, state }));
    });
  }

  /** The states of parameters of a group; what they lack is created. */
  #statesOf(params: readonly Tensor[], group: ParamGroup<O>): ParamState[] {
    const { state: names, slots } = this.update(group);
    const fresh = params.filter((p) => !this.#states.has(p));
    for (const bundle of bundlesOf(fresh, slots)) {
      for (const p of bundle.members) {
        this.#states.set(p, { steps: 0, tensors: {}, bundle, cohort: this.#cohort(group, 0) });
      }
    }
    return params.map((p) => {
      const state = this.#states.get(p)!;
      for (const name of names) if (!state.tensors[name]) this.#createState(state.bundle, name, p.device);
      return state;
    });
  }

  #createState(bundle: Bundle, name: string, device: Device): void {
    const tensors = bundle.createState(name, device);
    for (const [i, p] of [...bundle.members].entries()) {
      const state = this.#states.get(p);
      // A member that was forgotten since is in another bundle now, if anywhere.
      if (state?.bundle === bundle) state.tensors[name] = tensors[i]!;
      else tensors[i]!.dispose();
    }
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
    beforeReplay(() => {
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
    for (const { p, saved } of pairs) if (!saved) this.#forget(p);
    const loaded = pairs.filter(({ saved }) => saved);
    for (const group of this.paramGroups) {
      this.#statesOf(
        loaded.flatMap((pair) => (pair.group === group ? [pair.p] : [])),
        group,
      );
    }
    for (const { p, saved } of loaded) {
      const state = this.#states.get(p)!;
      for (const [name, tensor] of Object.entries(state.tensors)) copy_(tensor, saved![name] as Tensor);
      state.steps = saved!.step as number;
    }
  }

  #forget(p: Tensor): void {
    if (this.#states.has(p)) this.#structure++;
    for (const tensor of Object.values(this.#states.get(p)?.tensors ?? {})) tensor.dispose();
    this.#states.delete(p);
  }

  /** Frees the state. The parameters stay. */
  dispose(): void {
    for (const p of [...this.#states.keys()]) this.#forget(p);
    for (const cohorts of this.#cohorts.values()) for (const cohort of cohorts.splice(0)) cohort.dispose();
    this.#spare?.dispose();
    this.#spare = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
