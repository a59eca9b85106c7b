// `wgrad/mini` and the subpaths: a program without methods of tensors trains, and has every function that the methods call.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as wgrad from "wgrad";
import * as data from "wgrad/data";
import * as mini from "wgrad/mini";
import { add, backward, crossEntropy, type Device, matmul, ones, Tensor, tensor } from "wgrad/mini";
import * as nn from "wgrad/nn";
import * as optim from "wgrad/optim";
import * as vision from "wgrad/vision";

const { Adam } = optim;
const { Linear, ReLU, Sequential } = nn;

/** Before a device is open, Tensor has what its class has. */
const ofTheClass = Object.getOwnPropertyNames(Tensor.prototype);
const methods = () => Object.getOwnPropertyNames(Tensor.prototype).filter((name) => !ofTheClass.includes(name));

let device: Device;
beforeAll(async () => {
  device = await mini.init();
});
afterAll(() => device.destroy());

test("an MLP learns XOR, with no method on Tensor", async () => {
  mini.manualSeed(1);
  const model = new Sequential(new Linear(2, 16), new ReLU(), new Linear(16, 2));
  const optimizer = new Adam(model.parameters(), { lr: 0.05 });
  const inputs = tensor([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ]);
  const labels = tensor([0, 1, 1, 0], { dtype: "i32" });
  const losses: number[] = [];
  for (let i = 0; i < 60; i++) {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(inputs), labels);
    backward(loss);
    optimizer.step();
    losses.push(await loss.item());
    loss.dispose();
  }
  expect(losses[0]).toBeGreaterThan(0.5);
  expect(losses.at(-1)).toBeLessThan(0.05);
  expect(await mini.argmax(model.forward(inputs), 1).array()).toEqual([0, 1, 1, 0]);
  expect(methods()).toEqual([]);
  expect(() => Reflect.get(ones([1]), "add")).not.toThrow();
  expect(Reflect.get(ones([1]), "add")).toBeUndefined();
});

describe("names", () => {
  /** What functions cannot be called, or need not be called a second time. */
  const OTHER: Record<string, string> = { broadcastTo: "expand", var: "variance", view: "reshape" };

  test("every method is a function of mini", async () => {
    const opened = await wgrad.init();
    const missing = methods().filter((name) => !((OTHER[name] ?? name) in mini) && name !== "contiguous");
    expect(methods().length).toBeGreaterThan(70);
    expect(missing).toEqual([]);
    opened.destroy();
    wgrad.useDevice(device);
  });

  test("mini has what wgrad has beside its namespaces, and those are subpaths", () => {
    const own = Object.keys(wgrad).filter((name) => !["data", "nn", "optim", "vision"].includes(name));
    expect(own.filter((name) => !(name in mini))).toEqual([]);
    expect(Object.keys(wgrad.nn.functional).filter((name) => !(name in mini))).toEqual([]);
    for (const [name, subpath] of Object.entries({ data, nn, optim, vision }))
      expect(Object.keys(subpath), name).toEqual(Object.keys(Reflect.get(wgrad, name)));
  });
});

test("a program may load both: there is one Tensor, and one device", async () => {
  expect(Tensor).toBe(wgrad.Tensor);
  expect(Linear).toBe(wgrad.nn.Linear);
  const opened = await wgrad.init();
  const x = wgrad.tensor([[1, 2]]);
  const y = add(matmul(x, x.t()), 1);
  expect(await y.mul(2).array()).toEqual([[12]]);
  opened.destroy();
  wgrad.useDevice(device);
});
