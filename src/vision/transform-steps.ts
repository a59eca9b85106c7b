// The steps that transforms consist of, and their plan: neighbouring steps that one kernel can do become one stage.
import { MAX_STEPS } from "../kernels/wgsl/warp-images.wgsl";

export type Size = readonly [height: number, width: number];
export type Range = readonly [low: number, high: number];

/** Steps that move pixels: an output pixel comes from one input pixel, or is 0. */
export type WarpStep =
  | { readonly kind: "crop"; readonly size: Size; readonly padding: number }
  | { readonly kind: "centerCrop"; readonly size: Size }
  | { readonly kind: "flip"; readonly p: number }
  | { readonly kind: "rotate"; readonly degrees: Range };

/** Ranges of brightness, contrast, saturation and hue; null leaves one out. */
export interface JitterStep {
  readonly kind: "jitter";
  readonly ranges: readonly [Range | null, Range | null, Range | null, Range | null];
}

/** Size of the output, or of its shorter side. */
export interface ResizeStep {
  readonly kind: "resize";
  readonly size: Size | number;
}

/** (x - mean[c]) / std[c]: one number a channel, or one for all. */
export interface NormalizeStep {
  readonly kind: "normalize";
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

export type Step = WarpStep | JitterStep | ResizeStep | NormalizeStep;

/** Random numbers that each kind of step takes for an image. */
export const DRAWS: Readonly<Record<Step["kind"], number>> = {
  crop: 2,
  centerCrop: 0,
  flip: 1,
  rotate: 1,
  jitter: 5,
  resize: 0,
  normalize: 0,
};

interface StageBase {
  /** What happens to the stage's result before it is stored. */
  readonly normalize: NormalizeStep | null;
}
export interface WarpStage extends StageBase {
  readonly kind: "warp";
  /** In order of application, each with the column of its first random number. */
  readonly steps: readonly { readonly step: WarpStep; readonly column: number }[];
}
export interface JitterStage extends StageBase {
  readonly kind: "jitter";
  readonly step: JitterStep;
  readonly column: number;
}
export interface ResizeStage extends StageBase {
  readonly kind: "resize";
  readonly step: ResizeStep;
}
/** What one dispatch does. A warp without steps only normalizes. */
export type Stage = WarpStage | JitterStage | ResizeStage;

export interface Plan {
  readonly stages: readonly Stage[];
  /** Random numbers that an image takes altogether. */
  readonly draws: number;
}

/** Whether a warp takes random numbers. */
export const isRandom = ({ steps }: WarpStage): boolean => steps.some(({ step }) => DRAWS[step.kind] > 0);

/** Groups steps into stages, keeping their order: moves of pixels in a row, and a normalization with what precedes it. */
export function planSteps(steps: readonly Step[]): Plan {
  const stages: Stage[] = [];
  let column = 0;
  for (const step of steps) {
    const last = stages.at(-1);
    if (step.kind === "normalize") {
      if (last && !last.normalize) stages[stages.length - 1] = { ...last, normalize: step };
      else stages.push({ kind: "warp", steps: [], normalize: step });
    } else if (step.kind === "jitter") stages.push({ kind: "jitter", step, column, normalize: null });
    else if (step.kind === "resize") stages.push({ kind: "resize", step, normalize: null });
    else if (last?.kind === "warp" && !last.normalize && last.steps.length < MAX_STEPS) {
      stages[stages.length - 1] = { ...last, steps: [...last.steps, { step, column }] };
    } else stages.push({ kind: "warp", steps: [{ step, column }], normalize: null });
    column += DRAWS[step.kind];
  }
  return { stages, draws: column };
}
