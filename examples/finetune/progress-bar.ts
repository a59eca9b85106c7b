// The bar that shows how far an epoch is.
import { SingleBar } from "cli-progress";
import type { CompileProgress } from "wgrad";

/** A progress bar with images per second, on a terminal; elsewhere epochs are logged and nothing else. */
export function progressBar(title: string, images: number) {
  const start = performance.now();
  const bar = new SingleBar({
    format: `${title} {bar} {value}/{total} images, {speed} images/s, {eta_formatted} left{kernels}`,
    clearOnComplete: true,
    hideCursor: true,
    noTTYOutput: false,
  });
  bar.start(images, 0, { speed: "-", kernels: "" });
  return {
    advance(n: number) {
      bar.increment(n, { speed: ((bar.getProgress() * images + n) / ((performance.now() - start) / 1000)).toFixed(0) });
    },
    /** The first step's kernels, while they compile. */
    compiled({ ready, requested }: CompileProgress) {
      bar.update({ kernels: ready < requested ? `, compiling kernels: ${ready} of ${requested}` : "" });
    },
    stop: () => bar.stop(),
  };
}
