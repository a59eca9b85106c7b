// A peer's process: takes requests, one JSON object a line, on stdin, and answers each with a line on stdout.
//   { do: "prepare", spec }  sets a figure up and runs it once: { firstMs, values } (values: what it computed, to compare)
//   { do: "run", times }     runs the prepared figure: { ms } in all
//   { do: "release" }        frees it
//   { do: "cold", spec, steps }  trains and nothing else: { firstStepMs, losses, peakRssMiB }
import { createInterface } from "node:readline";

/**
 * `figures` maps a spec's kind to an async function that sets it up and returns
 * `{ run(times), values(), dispose() }`, or for "train" `{ step(), run(times), dispose() }` where `step()` resolves to
 * a loss. `run` resolves when the device is done.
 */
export async function serve(figures) {
  // Libraries like to talk; stdout is the protocol's.
  console.log = console.info = console.error;
  let figure = null;
  const handle = {
    async prepare({ spec }) {
      figure = await figures[spec.kind](spec);
      const start = performance.now();
      if (figure.step) {
        const losses = [await figure.step()];
        const firstMs = performance.now() - start;
        while (losses.length < 3) losses.push(await figure.step());
        return { firstMs, values: losses };
      }
      await figure.run(1);
      const firstMs = performance.now() - start;
      return { firstMs, values: probe(await figure.values()) };
    },
    async run({ times }) {
      const start = performance.now();
      await figure.run(times);
      return { ms: performance.now() - start };
    },
    async release() {
      await figure?.dispose();
      figure = null;
      return {};
    },
    async cold({ spec, steps }) {
      const trainer = await figures.train(spec);
      const start = performance.now();
      const losses = [await trainer.step()];
      const firstStepMs = performance.now() - start;
      while (losses.length < steps) losses.push(await trainer.step());
      return { firstStepMs, losses, peakRssMiB: process.resourceUsage().maxRSS / 1024 };
    },
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    let reply;
    try {
      reply = await handle[request.do](request);
    } catch (error) {
      reply = {
        error: String(error?.stack ?? error)
          .split("\n")
          .slice(0, 3)
          .join(" "),
      };
    }
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  }
  // Dawn's object would keep the process alive.
  process.exit(0);
}

/** The norm, and elements spread over an array: enough to tell whether two arrays are the same. */
export function probe(values) {
  const n = values.length;
  const norm = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));
  return [norm, ...Array.from({ length: 16 }, (_, i) => values[(i * 2654435761) % n])];
}
