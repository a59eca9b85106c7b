// tune(): measures, chooses among the variants, keeps the choice on disk, and changes no result beyond rounding.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { capture, DataError, type Device, init, memory, nn, rand, type Tensor, tune } from "wgrad";

const { functional: F } = nn;
let folder: string;
let device: Device;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "wgrad-tune-"));
  vi.stubEnv("WGRAD_CACHE", folder);
  device = await init();
});
afterEach(() => {
  device.destroy();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** Kinds of kernels that this adapter has several variants of: those for subgroups need lanes of one known size. */
const kindsOf = (...kinds: string[]) => {
  const { subgroupSize } = device.info;
  return subgroupSize >= 4 && subgroupSize <= 64 ? kinds : [];
};
const make = () => ({ x: rand([2, 8, 8, 8]), w: new nn.Parameter(rand([8, 8, 3, 3])) });
const stepOf = (x: Tensor, w: nn.Parameter) => () => {
  w.grad = null;
  const loss = F.conv2d(x, w, null, { padding: 1 }).mul(0.1).sum();
  loss.backward();
  return loss;
};

test("measures every variant of what the step launches, and later processes start with the choice", async () => {
  const { x, w } = make();
  const seen: string[] = [];
  const before = memory();
  const tuned = await tune(stepOf(x, w), { onProgress: ({ newest }) => seen.push(newest.key) });
  expect(memory().tensors - (w.grad ? 1 : 0)).toBe(before.tensors);
  expect(tuned.map(({ key }) => key.split(" ")[0])).toEqual(kindsOf("conv", "convWeightGradient"));
  expect(seen).toEqual(tuned.map(({ key }) => key));
  for (const { key, chosen, ms } of tuned) {
    expect(Object.keys(ms)).toContain("rows 16x1");
    expect(Object.keys(ms)).toContain("subgroup 16x4");
    expect(Object.keys(ms)).toContain("workgroup");
    for (const time of Object.values(ms)) expect(time).toBeGreaterThan(0);
    const first = Object.values(ms)[0]!;
    expect(first).toBeGreaterThan(0);
    expect(device.variants.get(key)).toBe(chosen);
  }
  expect(await tune(stepOf(x, w))).toEqual([]);
  expect((await tune(stepOf(x, w), { again: true })).length).toBe(tuned.length);
  const other = await init();
  expect([...other.variants.keys()].sort()).toEqual(tuned.map(({ key }) => key).sort());
  other.destroy();
});

test("a chosen variant is used, also by steps captured before, with the same result up to rounding", async () => {
  const { x, w } = make();
  const run = capture((input: Tensor) => F.conv2d(input, w, null, { padding: 1 }));
  const expected = await run(x).data();
  await tune(() => F.conv2d(x, w, null, { padding: 1 }));
  for (const key of device.variants.keys()) device.variants.set(key, "workgroup");
  const got = await run(x).data();
  expect(run.recordings).toBe(2);
  got.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-4);
  });
  run.dispose();
});

test("a captured step that was recorded before is tuned like any other", async () => {
  const { x, w } = make();
  const step = capture((input: Tensor) => F.conv2d(input, w, null, { padding: 1 }));
  step(x).dispose();
  expect((await tune(() => step(x))).length).toBe(kindsOf("conv").length);
  step(x).dispose();
  expect(step.recordings).toBe(2 + kindsOf("conv").length);
  step.dispose();
});

test("a weight gradient with dead taps is cleared each time", async () => {
  const [x, w] = [rand([2, 8, 1, 1]), new nn.Parameter(rand([8, 8, 3, 3]))];
  const tuned = await tune(stepOf(x, w));
  expect(tuned.map(({ key }) => key.split(" ")[0])).toEqual(kindsOf("conv", "convWeightGradient"));
  (await w.grad!.data()).forEach((value, i) => {
    if (i % 9 !== 4) expect(value).toBe(0);
  });
});

test("without time nothing is chosen, and nothing is kept", async () => {
  const { x, w } = make();
  expect(await tune(stepOf(x, w), { budget: 0 })).toEqual([]);
  expect(device.variants.size).toBe(0);
  expect(existsSync(join(folder, "variants.json"))).toBe(false);
});

test("an error of the step passes through, and leaks nothing", async () => {
  const { x, w } = make();
  const before = memory();
  await expect(
    tune(() => {
      F.conv2d(x, w, null, { padding: 1 });
      throw new RangeError("mine");
    }),
  ).rejects.toThrow("mine");
  expect(memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
});

test("a damaged file, and names that no kernel has, are passed over", async () => {
  writeFileSync(join(folder, "variants.json"), "{ not json");
  const first = await init();
  expect(first.variants.size).toBe(0);
  first.variants.set("conv", "of another version");
  await first.saveVariants();
  const second = await init();
  expect(second.variants.get("conv")).toBe("of another version");
  const { x, w } = make();
  const y = F.conv2d(x, w, null, { padding: 1 });
  expect(await y.sum().item()).toBeGreaterThan(0);
  for (const opened of [first, second]) opened.destroy();
});

test("a cache that cannot be written is an error that says so; the choice holds", async () => {
  const { x, w } = make();
  const file = join(folder, "file");
  writeFileSync(file, "");
  vi.stubEnv("WGRAD_CACHE", join(file, "cache"));
  const kinds = kindsOf("conv", "convWeightGradient");
  if (kinds.length > 0) await expect(tune(stepOf(x, w))).rejects.toThrow(DataError);
  expect(device.variants.size).toBe(kinds.length);
});
