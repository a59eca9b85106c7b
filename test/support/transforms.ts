// Transforms against their f64 reference: random numbers that decide no ties, and what the reference makes of a batch.
import type { vision } from "wgrad";
import { drawsOf, type Step } from "../../src/vision/transform-steps.ts";
import { augmentMatrix, warpTie } from "../reference/augment.ts";
import {
  affineMatrix,
  applySteps,
  augmentation,
  erasedWindow,
  nearestTie,
  resizedWindow,
} from "../reference/transforms.ts";
import { type HostArray, host, rng, sizeOf } from "./host.ts";

type Three = readonly [number, number, number];

/** How near a step's random decisions on an image of this shape come to a tie, which f32 may decide otherwise. */
function tieOf(step: Step, shape: Three, u: readonly number[]): number {
  const edge = (...values: number[]) => Math.min(...values.map((v) => Math.abs(v - Math.round(v))));
  switch (step.kind) {
    case "rotate":
      return nearestTie(shape, step.degrees[0] + (step.degrees[1] - step.degrees[0]) * u[0]!);
    case "resizedCrop":
      return resizedWindow(step, shape, u).tie;
    case "erase":
      return erasedWindow(step, shape, u).tie;
    case "affine": {
      const { matrix, tie } = affineMatrix(step, shape, u);
      return Math.min(tie, step.bilinear ? 1 : warpTie(shape, matrix));
    }
    case "augment": {
      const { operation, strength } = augmentation(step, u);
      const matrix = augmentMatrix(operation, strength, step.wide, shape);
      const ties = matrix && !step.bilinear ? warpTie(shape, matrix) : 1;
      return Math.min(ties, edge(u[0]! * 14, u[2]! * step.bins, u[1]! * 2));
    }
    default:
      return 1;
  }
}

/** Random numbers [n, columns] for images of this shape [C, H, W] whose steps decide no ties. */
export function drawsFor(transform: vision.Transform, n: number, shape: readonly number[], from: number): HostArray {
  const next = rng(from);
  const draw = () => Math.fround(next() * (1 - 2 ** -24));
  const data: number[] = [];
  for (let i = 0; i < n; i++) {
    let size = [1, ...shape] as readonly number[];
    for (const { step, runner } of transform.parts) {
      const draws = () => Array.from({ length: drawsOf(step) }, draw);
      let u = draws();
      while (tieOf(step, size.slice(1) as unknown as Three, u) < 1e-4) u = draws();
      data.push(...u);
      if (step.kind !== "normalize" && step.kind !== "toTensor") size = runner.shapeAfter(step, size);
    }
  }
  return host([n, transform.draws], data);
}

/** What the reference makes of a batch, and the largest value that each image takes on the way. */
export interface Passed {
  readonly ref: HostArray;
  readonly largest: readonly number[];
}

/** The batch's images one by one through the reference. levels: they came as 8 bits. */
export function pass(transform: vision.Transform, images: HostArray, draws: HostArray, levels = false): Passed {
  const [n, ...shape] = images.shape as [number, number, number, number];
  const size = sizeOf(shape);
  const passed = Array.from({ length: n }, (_, i) =>
    Array.from({ length: transform.steps.length + 1 }, (_, count) =>
      applySteps(
        transform.steps.slice(0, count),
        host(shape, images.data.slice(i * size, (i + 1) * size)),
        draws.data.slice(i * transform.draws, (i + 1) * transform.draws),
        levels,
      ),
    ),
  );
  const results = passed.map((steps) => steps.at(-1)!);
  const largest = passed.map((steps) =>
    Math.max(...steps.map(({ data }) => data.reduce((m, v) => Math.max(m, Math.abs(v)), 0))),
  );
  const ref = host(
    [n, ...results[0]!.shape],
    results.flatMap((r) => [...r.data]),
  );
  return { ref, largest };
}

/** What the reference makes of a batch alone. */
export const reference = (...given: Parameters<typeof pass>): HostArray => pass(...given).ref;
