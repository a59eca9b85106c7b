// Errors say what they are where a minifier has renamed their classes: by strings, in `name` and in the stack.
import { expect, test } from "vitest";
import * as wgrad from "wgrad";

const { AnomalyError, KernelError, NonFiniteLossError, ...others } = wgrad;

test("each error class gives its own name", () => {
  const classes = Object.entries(others).filter(([name]) => name.endsWith("Error"));
  expect(classes.length).toBeGreaterThan(10);
  for (const [name, Kind] of classes) {
    const error = new (Kind as new (message: string) => Error)("[op] what is wrong");
    expect(error).toBeInstanceOf(wgrad.WgradError);
    expect(error.name).toBe(name);
    expect(error.stack).toMatch(new RegExp(`^${name}: \\[op\\] what is wrong`));
  }
});

test("errors of a training run say where", () => {
  const epoch = { epoch: 2, step: 5, loss: Number.NaN };
  const anomaly = { operation: "log", module: "layer1.0", kind: "output" } as const;
  for (const [error, at, name] of [
    [new NonFiniteLossError("[fit] NaN", epoch), epoch, "NonFiniteLossError"],
    [new AnomalyError("[log] NaN", anomaly), anomaly, "AnomalyError"],
  ] as const) {
    expect(error).toBeInstanceOf(wgrad.WgradError);
    expect({ ...error, name: error.name }).toEqual({ ...at, name });
  }
});

test("a KernelError says where", () => {
  const cause = new Error("cause");
  const error = new KernelError("[mine] does not compile", { kernel: "mine", line: 3, column: 7, cause });
  expect(error).toBeInstanceOf(wgrad.DeviceError);
  expect({ ...error, name: error.name }).toEqual({ kernel: "mine", line: 3, column: 7, name: "KernelError" });
  expect(error.cause).toBe(cause);
});
