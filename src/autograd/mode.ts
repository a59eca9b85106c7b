// Whether operations are recorded on the tape.

let recording = true;

export const gradEnabled = (): boolean => recording;

/** Runs `fn` without recording: its results require no gradient and keep nothing alive. */
export function noGrad<T>(fn: () => T): T {
  const before = recording;
  recording = false;
  try {
    return fn();
  } finally {
    recording = before;
  }
}
