// Commands: what the queue records, submits and replays.

import type { GlobalType } from "./global-type.ts";
import type { Pipeline } from "./pipeline.ts";
import type { PooledBuffer } from "./pool.ts";

/** A range of a pooled buffer, in bytes; `offset` is a multiple of 256. */
export interface Binding {
  readonly buffer: PooledBuffer;
  readonly offset: number;
  readonly bytes: number;
}

/** What `apply` knows of a running op: enough to name it when the device reports an error later. */
export interface Origin {
  readonly name: string;
  readonly inputs: readonly ({ readonly shape: readonly number[]; readonly dtype: string } | null)[];
}

/** A bind group that is made when it is first encoded: by then its buffers are known to have memory. */
export interface BoundGroup {
  get(): GlobalType<"GPUBindGroup">;
}

export interface DispatchCommand {
  readonly kind: "dispatch";
  readonly pipeline: Pipeline;
  readonly bindGroup: BoundGroup;
  readonly x: number;
  readonly y: number;
  readonly z: number;
  /** The op on whose behalf it runs, for error messages and profiles. */
  readonly origin: Origin | null;
  readonly buffers: readonly PooledBuffer[];
}
export interface WriteCommand {
  readonly kind: "write";
  readonly buffer: PooledBuffer;
  readonly offset: number;
  readonly data: ArrayBufferView<ArrayBuffer>;
}
export interface CopyCommand {
  readonly kind: "copy";
  readonly from: Binding;
  readonly to: Binding;
}
export interface ClearCommand {
  readonly kind: "clear";
  readonly range: Binding;
}
export type Command = DispatchCommand | WriteCommand | CopyCommand | ClearCommand;

/** Commands to be replayed, and the buffers that they use. */
export interface Program {
  readonly commands: readonly Command[];
  readonly buffers: readonly PooledBuffer[];
}

export function buffersOf(command: Command): readonly PooledBuffer[] {
  switch (command.kind) {
    case "dispatch":
      return command.buffers;
    case "clear":
      return [command.range.buffer];
    case "write":
      return [command.buffer];
    case "copy":
      return [command.from.buffer, command.to.buffer];
  }
}

export const programOf = (commands: readonly Command[]): Program => ({
  commands,
  buffers: [...new Set(commands.flatMap(buffersOf))],
});

/** The op of a command, with the shapes and dtypes of its inputs, as error messages begin. */
export function whereOf(origin: Origin | null | undefined): string {
  if (!origin) return "[device]";
  const inputs = origin.inputs.map((t) => (t ? `${t.dtype} [${t.shape.join(", ")}]` : "null"));
  return inputs.length > 0 ? `[${origin.name}] on ${inputs.join(", ")}` : `[${origin.name}]`;
}
