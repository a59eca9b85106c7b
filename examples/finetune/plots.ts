// The two plots of a training run as PNG: loss by iteration, and loss and accuracy by epoch.
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { writeFileAtomic } from "wgrad/node";
import { FONT, svgToPng } from "./svg-to-png.ts";

/** What the plots need of one entry of `metrics.json`'s `epochs`. */
export interface EpochMetrics {
  /** Counted from 1. */
  epoch: number;
  /** "frozen" or "released", say; a change of it is marked. */
  phase: string;
  trainLoss: number;
  testLoss: number;
  /** Parts of 1. */
  trainAcc: number;
  testAcc: number;
}

/** What the plots need of `metrics.json`. */
export interface PlotMetrics {
  epochs: readonly EpochMetrics[];
  /** The training loss of each iteration (batch). */
  iterations: readonly number[];
}

export interface PlotOptions {
  /** What was trained on what: the plots' subtitle, such as "resnet18, CIFAR-10". */
  subtitle?: string;
}

/** At most so many points in the plot by iteration: more than its pixels show nothing more. */
const MAX_POINTS = 4000;
const TRAIN = "#3b6fb6";
const TEST = "#d1582a";
const GRAY = "#777777";

/** Plots the loss of each iteration, with its moving average, to the PNG file `path`. */
export async function plotIterations(metrics: PlotMetrics, path: string, options: PlotOptions = {}): Promise<void> {
  const { iterations, epochs } = metrics;
  const window = Math.max(1, Math.round(iterations.length / 50));
  const step = Math.ceil(iterations.length / MAX_POINTS);
  const averages = movingAverage(iterations, window);
  const average = `mean of ${window} iterations`;
  const points = iterations.flatMap((loss, i) =>
    i % step === 0 ? [{ iteration: i + 1, loss, average: averages[i] }] : [],
  );
  const line = (field: "loss" | "average", label: string, strokeWidth: number) => ({
    data: { values: points },
    // A single iteration makes no line.
    mark: { type: "line" as const, strokeWidth, point: points.length === 1 },
    encoding: {
      x: {
        field: "iteration",
        type: "quantitative" as const,
        title: "Iteration (batches)",
        axis: { tickMinStep: 1, format: ",d" },
        scale: { nice: false },
      },
      y: { field, type: "quantitative" as const, title: "Cross-entropy loss (nats)", scale: { zero: true } },
      color: {
        datum: label,
        type: "nominal" as const,
        title: null,
        scale: { domain: ["each iteration", average], range: ["#b7cbe6", TRAIN] },
      },
    },
  });
  // Epochs are of equal length, but for a run that was stopped within one.
  const perEpoch = epochs.length > 0 ? iterations.length / epochs.length : 0;
  const changes = phaseChanges(epochs).map(({ index, phase }) => ({
    at: index * perEpoch + 0.5,
    label: `phase: ${phase}`,
  }));
  await draw(path, {
    ...frame("Training loss by iteration", options),
    width: 860,
    height: 400,
    layer: [line("loss", "each iteration", 1), line("average", average, 2.5), ...phaseMarks(changes)],
  });
}

/** Plots loss and accuracy after each epoch, for training and test images, to the PNG file `path`. */
export async function plotEpochs(metrics: PlotMetrics, path: string, options: PlotOptions = {}): Promise<void> {
  const { epochs } = metrics;
  const changes = phaseChanges(epochs).map(({ index, phase }) => ({
    at: (epochs[index]?.epoch ?? index + 1) - 0.5,
    label: `phase: ${phase}`,
  }));
  const panel = (title: string, format: string, values: { epoch: number; value: number; images: string }[]) => ({
    width: 400,
    height: 320,
    layer: [
      {
        data: { values },
        mark: { type: "line" as const, point: true, strokeWidth: 2 },
        encoding: {
          x: {
            field: "epoch",
            type: "quantitative" as const,
            title: "Epoch",
            axis: { tickMinStep: 1, format: "d" },
            scale: { zero: false, nice: false, padding: 12 },
          },
          y: {
            field: "value",
            type: "quantitative" as const,
            title,
            axis: { format },
            scale: { zero: false },
          },
          color: {
            field: "images",
            type: "nominal" as const,
            title: null,
            scale: { domain: ["training", "test"], range: [TRAIN, TEST] },
          },
        },
      },
      ...phaseMarks(changes),
    ],
  });
  const both = (train: "trainAcc" | "trainLoss", test: "testAcc" | "testLoss", scale: number) =>
    epochs.flatMap((entry) => [
      { epoch: entry.epoch, value: entry[train] * scale, images: "training" },
      { epoch: entry.epoch, value: entry[test] * scale, images: "test" },
    ]);
  await draw(path, {
    ...frame("Accuracy and loss by epoch", options),
    hconcat: [
      panel("Accuracy (%)", "~f", both("trainAcc", "testAcc", 100)),
      panel("Cross-entropy loss (nats)", "~g", both("trainLoss", "testLoss", 1)),
    ],
  });
}

/** The entries at which another phase begins, and its name. */
function phaseChanges(epochs: readonly EpochMetrics[]): { index: number; phase: string }[] {
  return epochs.flatMap(({ phase }, index) =>
    index > 0 && phase !== epochs[index - 1]?.phase ? [{ index, phase }] : [],
  );
}

/** Dashed lines with a label: layers of a chart whose x axis is in `at`'s unit. */
function phaseMarks(changes: { at: number; label: string }[]) {
  if (changes.length === 0) return [];
  const x = { field: "at", type: "quantitative" as const };
  return [
    {
      data: { values: changes },
      mark: { type: "rule" as const, strokeDash: [5, 4], color: GRAY },
      encoding: { x },
    },
    {
      data: { values: changes },
      mark: { type: "text" as const, align: "left" as const, baseline: "top" as const, dx: 5, dy: 4, color: GRAY },
      encoding: { x, y: { value: 0 }, text: { field: "label", type: "nominal" as const } },
    },
  ];
}

function frame(text: string, { subtitle }: PlotOptions) {
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    background: "white",
    padding: 16,
    title: { text, ...(subtitle !== undefined && { subtitle }), anchor: "start" as const, fontSize: 18, offset: 14 },
    config: {
      font: FONT,
      title: { subtitleFontSize: 13, subtitleColor: GRAY, subtitlePadding: 6 },
      axis: { labelFontSize: 12, titleFontSize: 13, titlePadding: 10, gridColor: "#e6e6e6" },
      legend: {
        labelFontSize: 12,
        labelLimit: 0,
        orient: "bottom" as const,
        symbolStrokeWidth: 3,
        symbolType: "stroke",
      },
      text: { fontSize: 12 },
      view: { stroke: "#cccccc" },
    },
  };
}

/** The mean of the last `window` values up to each one. */
function movingAverage(values: readonly number[], window: number): number[] {
  let sum = 0;
  return values.map((value, i) => {
    sum += value - (i >= window ? (values[i - window] ?? 0) : 0);
    return sum / Math.min(i + 1, window);
  });
}

async function draw(path: string, spec: TopLevelSpec): Promise<void> {
  const view = new View(parse(compile(spec).spec), { renderer: "none" });
  try {
    // Twice the size: sharp on today's screens.
    await writeFileAtomic(path, await svgToPng(await view.toSVG(), 2));
  } finally {
    view.finalize();
  }
}
