// The figures that compare wgrad with itself: what a captured step costs the host, and that it computes the same.
import type { Tensor } from "wgrad";
import type { Device } from "../../src/gpu/device.ts";
import { BATCH } from "./figures.ts";
import { type HostTime, hostTimeOf } from "./host-time.ts";
import { type Workload, workload } from "./training.ts";

export interface HostFigure {
  readonly eager: HostTime;
  readonly captured: HostTime;
  readonly dispatches: number;
}

/** Host time of a training step of ResNet18. */
export async function measureHost(device: Device): Promise<HostFigure> {
  const work = await workload("resnet18", BATCH);
  const measure = async (step: () => Tensor) => {
    const once = () => step().dispose();
    for (let i = 0; i < 3; i++) once();
    return hostTimeOf(device, once, 9);
  };
  const eager = await measure(() => work.train());
  const captured = await measure(() => work.trainCaptured(work.x, work.y));
  const before = device.queue.stats.dispatches;
  work.trainCaptured(work.x, work.y).dispose();
  await device.sync();
  const dispatches = device.queue.stats.dispatches - before;
  work.dispose();
  return { eager, captured, dispatches };
}

const STEPS = 20;

export interface CapturedFigure {
  readonly eager: readonly number[];
  readonly captured: readonly number[];
  readonly identical: boolean;
}

/** Losses of 20 steps: half of them with all but the last layer frozen, the rate changed in the middle of each half. */
export async function compareCaptured(device: Device): Promise<CapturedFigure> {
  const losses = async (step: (work: Workload) => Tensor) => {
    const work = await workload("resnet18", 8);
    const values: number[] = [];
    for (let i = 0; i < STEPS; i++) {
      if (i === 0 || i === STEPS / 2) {
        for (const [name, p] of work.model.namedParameters()) p.requiresGrad = i > 0 || name.startsWith("fc.");
      }
      if (i % (STEPS / 2) === STEPS / 4) work.optimizer.paramGroups[0].lr /= 4;
      const loss = step(work);
      values.push(await loss.item());
      loss.dispose();
    }
    work.dispose();
    await device.sync();
    return values;
  };
  const eager = await losses((work) => work.train());
  const captured = await losses((work) => work.trainCaptured(work.x, work.y));
  return { eager, captured, identical: eager.every((loss, i) => Object.is(loss, captured[i])) };
}
