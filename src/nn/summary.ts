// summary: a model as a table of layers, output shapes and parameter counts.

import { noGrad } from "../autograd/mode.ts";
import { check, told, ValueError } from "../errors.ts";
import { scope } from "../tensor/scope.ts";
import { show } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { AnyModule } from "./module.ts";

const count = (n: number): string => n.toLocaleString("en-US");

/** The table; `run` is one forward pass, which tells the output shapes. */
export function summarize(model: AnyModule, run: (() => void) | null): string {
  const shapes = run ? outputShapes(model, run) : new Map<AnyModule, string>();
  const header = ["layer", "type", "output", "parameters", "frozen"];
  const rows = [header];
  for (const [name, module] of model.namedModules()) {
    if ([...module.children()].length > 0) continue;
    const { total, frozen } = countParameters(module);
    const type = `${module.constructor.name}(${module.describe()})`;
    rows.push([name || "(model)", type, shapes.get(module) ?? "-", count(total), count(frozen)]);
  }
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = widths.map((width) => "-".repeat(width)).join("  ");
  const text = rows.map((row) =>
    row
      .map((cell, column) => (column < 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  const { total, frozen } = countParameters(model);
  text.splice(1, 0, line);
  text.push(line, `${count(frozen)} of ${count(total)} parameters frozen, ${count(total - frozen)} to train`);
  return text.join("\n");
}

/** Elements of all parameters below `module`, and of the frozen ones among them. */
export function countParameters(module: AnyModule): { total: number; frozen: number } {
  check(
    typeof module?.parameters === "function",
    () => `[countParameters] got ${told(module)} in the place of a module`,
    ValueError,
  );
  let total = 0;
  let frozen = 0;
  for (const parameter of module.parameters()) {
    total += parameter.numel;
    if (!parameter.requiresGrad) frozen += parameter.numel;
  }
  return { total, frozen };
}

function outputShapes(model: AnyModule, run: () => void): Map<AnyModule, string> {
  const shapes = new Map<AnyModule, string>();
  const modes = new Map(Array.from(model.modules(), (module) => [module, module.training] as const));
  const removals = Array.from(modes.keys(), (module) =>
    module.registerForwardHook((_, __, output) => {
      if (output instanceof Tensor) shapes.set(module, show(output.shape));
    }),
  );
  model.eval();
  try {
    noGrad(() => scope(run));
  } finally {
    for (const remove of removals) remove();
    for (const [module, training] of modes) module.training = training;
  }
  return shapes;
}
