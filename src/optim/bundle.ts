// Bundle: parameters that one launch updates, as many as a kernel has bindings for, with their state side by side.

import { runInto } from "../autograd/run.ts";
import { unrecorded } from "../capture/hooks.ts";
import type { Device } from "../gpu/device.ts";
import type { Shader } from "../gpu/pipeline.ts";
import { type Binding, grid1d } from "../gpu/queue.ts";
import { bindingElements, padded, partOf, ranges } from "../kernels/binding-parts.ts";
import { fillOp } from "../kernels/fill.ts";
import { zeros } from "../tensor/create.ts";
import { keep } from "../tensor/scope.ts";
import { Storage } from "../tensor/storage.ts";
import { Tensor } from "../tensor/tensor.ts";

/** An update kernel. Its bindings: hyper, then gradient and parameter of each slot, then the state tensors by name. */
export interface Update {
  readonly shader: Shader;
  /** Parameters that one launch takes: what the eight storage bindings of a WebGPU device leave room for. */
  readonly slots: number;
  readonly state: readonly string[];
}

/** Elements per workgroup of the update kernels. */
const PER_WORKGROUP = 64 * 8 * 4;
/** Where the kernels know of at most so many slots. */
const MAX_SLOTS = 3;
/** The first workgroup of a slot that is not there. */
const NEVER = 0xffffffff;

export class Bundle {
  /** Where the state of each parameter starts, in elements. */
  readonly #starts = new Map<Tensor, number>();
  readonly #elements: number;
  /** By name. The parts that the members' tensors hold keep it alive, not this. */
  readonly #states = new Map<string, Storage>();

  constructor(members: readonly Tensor[]) {
    let elements = 0;
    for (const p of members) {
      this.#starts.set(p, elements);
      elements += padded(p.numel);
    }
    this.#elements = elements;
  }

  get members(): Iterable<Tensor> {
    return this.#starts.keys();
  }

  /** New state, zero, in the order of `members`. */
  createState(name: string, device: Device): Tensor[] {
    return unrecorded(() => {
      const whole = new Storage(device, 4 * this.#elements);
      const all = new Tensor(whole.retain(), [this.#elements], "f32");
      runInto(fillOp, [], { value: 0 }, [all]);
      all.dispose();
      this.#states.set(name, whole);
      const parts = [...this.#starts].map(([p, start]) =>
        keep(new Tensor(new Storage(device, 4 * p.numel, { part: { of: whole, offset: 4 * start } }), p.shape, "f32")),
      );
      whole.release();
      return parts;
    });
  }

  /** Records the update of members, at most as many as the kernel has slots; one alone may be of any size. */
  launch({ shader, slots, state: names }: Update, hyper: Binding, params: readonly Tensor[], spare: Tensor): void {
    const [first] = params as [Tensor];
    const { queue, info } = first.device;
    const states = names.map((name) => this.#states.get(name)!);
    const dispatch = (
      members: readonly { g: Binding; p: Binding; elements: number; start: number }[],
      state: readonly Binding[],
    ) => {
      const words = Array.from({ length: 3 }, () => [0, 0, 0, 0]) as [number[], number[], number[]];
      const bindings: Binding[] = [];
      let groups = 0;
      for (let slot = 0; slot < MAX_SLOTS; slot++) {
        const member = members[slot];
        words[0][slot] = Math.ceil((member?.elements ?? 0) / 4);
        words[1][slot] = (member?.start ?? 0) / 4;
        words[2][slot] = member ? groups : NEVER;
        groups += Math.ceil((member?.elements ?? 0) / PER_WORKGROUP);
        // A slot without a parameter needs buffers all the same: what is writable, one of its own.
        if (slot < slots) bindings.push((member ?? members[0]!).g, member?.p ?? partOf(spare.storage, 64 * slot, 64));
      }
      queue.dispatch(shader, [hyper, ...bindings, ...state], words.flat(), grid1d(groups, 1));
    };
    for (const p of params) p.storage.version++;
    if (params.length > 1) {
      const members = params.map((p) => ({
        ...{ g: p.grad!.storage, p: p.storage },
        ...{ elements: p.numel, start: this.#starts.get(p)! },
      }));
      dispatch(members, states);
      return;
    }
    const start = this.#starts.get(first)!;
    for (const [from, elements] of ranges(first.numel, bindingElements(info))) {
      const part = (binding: Binding) => partOf(binding, from, elements);
      dispatch(
        [{ g: part(first.grad!.storage), p: part(first.storage), elements, start: 0 }],
        states.map((state) => partOf(state, start + from, elements)),
      );
    }
  }
}

/** What launches bind in place of parameters that are not there. */
export const spareBuffer = (): Tensor => unrecorded(() => keep(zeros([64 * MAX_SLOTS])));

/** Parameters in their order in bundles of at most `slots`, whose state fits a binding. */
export function bundlesOf(params: readonly Tensor[], slots: number): Bundle[] {
  const lists: Tensor[][] = [];
  let elements = 0;
  for (const p of params) {
    const list = lists.at(-1);
    elements += padded(p.numel);
    if (list && list.length < slots && elements <= bindingElements(p.device.info)) list.push(p);
    else {
      lists.push([p]);
      elements = padded(p.numel);
    }
  }
  return lists.map((list) => new Bundle(list));
}
