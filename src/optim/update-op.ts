// The operation that updates parameters and their state in place, several of them in a launch.
import { type Op, withoutGradient } from "../autograd/op.ts";
import { type Run, runInto } from "../autograd/run.ts";
import { type Binding, grid1d } from "../gpu/queue.ts";
import { bindingElements, partOf, ranges } from "../kernels/binding-parts.ts";
import { type Buffer, Kernel, type Variant } from "../kernels/kernel.ts";
import updateWgsl, { VECTORS, WG } from "../kernels/wgsl/update.wgsl";
import type { Tensor } from "../tensor/tensor.ts";
import type { HyperTable } from "./hyper-table.ts";

/** A parameter that is updated, its gradient, and its state. */
export interface Member {
  readonly p: Tensor;
  readonly g: Tensor;
  readonly state: readonly Tensor[];
}

const kernel = new Kernel(updateWgsl);

/** Buffers of a launch: hyper-parameters, then gradient and parameter of each slot, then the states. */
type UpdateBuffers = Readonly<
  Record<"hyper" | "g0" | "p0", Buffer> & Record<"g1" | "p1" | "g2" | "p2" | "s0" | "s1" | "s2", Buffer | null>
>;
type Three = readonly [number, number, number];
export type UpdateKernel = Variant<UpdateBuffers, { readonly n: Three; readonly state: Three; readonly start: Three }>;

/** The kernel with this text for `struct Hyper` and `fn advance`. */
export const updateKernel = (
  overrides: { readonly Hyper: string; readonly advance: string },
  name: string,
): UpdateKernel => kernel.variant(overrides, name);

/** Whether one launch may take `other` behind `first`: what it writes is apart, and their state in the same buffers. */
export const sideBySide = (first: Member, other: Member): boolean =>
  first.p.storage !== other.p.storage &&
  first.state.every(({ storage }, i) => {
    const next = other.state[i]?.storage;
    return next?.buffer === storage.buffer && next.offset > storage.offset;
  });

interface UpdateAttrs {
  readonly kernel: UpdateKernel;
  readonly hyper: Binding;
  readonly members: readonly Member[];
}

type UpdateOp = Op<readonly [table: Tensor, ...gradients: Tensor[]], UpdateAttrs, readonly Tensor[]>;

/** One member may be of any size; several, `sideBySide`, fit a binding together. */
const updateOp: Omit<UpdateOp, "name"> = {
  infer: () => {
    throw new Error("[update] writes into tensors that exist: use runInto");
  },
  forward(run, _inputs, _outputs, { kernel, hyper, members }) {
    const [first] = members;
    const last = members.at(-1);
    if (!first || !last) return;
    const state = first.state.map(({ storage }, i): Binding => {
      const end = last.state[i]?.storage ?? storage;
      return { buffer: storage.buffer, offset: storage.offset, bytes: end.offset + end.bytes - storage.offset };
    });
    if (members.length > 1) {
      const origin = state[0]?.offset ?? 0;
      const slots = members.map(({ p, g, state: [own] }) => {
        const at = ((own?.storage.offset ?? origin) - origin) / 16;
        return { p: p.storage, g: g.storage, elements: p.numel, state: at };
      });
      launch(run, kernel, hyper, slots, state);
      return;
    }
    for (const [from, elements] of ranges(first.p.numel, bindingElements(run.device.info))) {
      const part = (binding: Binding) => partOf(binding, from, elements);
      const slot = { p: part(first.p.storage), g: part(first.g.storage), elements, state: 0 };
      launch(run, kernel, hyper, [slot], state.map(part));
    }
  },
  ...withoutGradient,
};

/** Runs an update of members in one launch, in the name of an optimizer, with the numbers in row `row` of the table. */
export function update(
  name: string,
  kernel: UpdateKernel,
  table: HyperTable,
  row: number,
  members: readonly Member[],
): void {
  const op: UpdateOp = { name, ...updateOp };
  const gradients = members.map(({ g }) => g);
  const changed: readonly Tensor[] = members.flatMap(({ p, state }) => [p, ...state]);
  runInto(op, [table.tensor, ...gradients], { kernel, hyper: table.row(row), members }, changed);
}

/** What a launch updates of one parameter; its state starts at vector `state` of the buffers. */
interface Slot {
  readonly p: Binding;
  readonly g: Binding;
  readonly elements: number;
  readonly state: number;
}

const NO_SLOT = { p: null, g: null, elements: 0, state: 0 } as const;

const vectors = (elements: number): number => Math.ceil(elements / 4);
const workgroups = (elements: number): number => Math.ceil(elements / (4 * VECTORS * WG));

function launch(
  run: Run,
  kernel: UpdateKernel,
  hyper: Binding,
  slots: readonly Slot[],
  state: readonly Binding[],
): void {
  const [a, b = NO_SLOT, c = NO_SLOT] = slots;
  const [s0 = null, s1 = null, s2 = null] = state;
  if (!a) return;
  const buffers = { hyper, g0: a.g, p0: a.p, g1: b.g, p1: b.p, g2: c.g, p2: c.p, s0, s1, s2 };
  const second = workgroups(a.elements);
  const third = second + workgroups(b.elements);
  const params = {
    n: [vectors(a.elements), vectors(b.elements), vectors(c.elements)],
    state: [a.state, b.state, c.state],
    start: [0, second, third],
  } as const;
  kernel.launch(run, buffers, params, grid1d(third + workgroups(c.elements), 1));
}
