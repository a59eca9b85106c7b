// Keeps Dawn from polling in a busy loop. Its Node binding looks for finished work whenever the event loop turns, by
// asking for setImmediate again and again; on a software adapter that takes a core away from the device itself.

/** So long after a call Dawn may poll at every turn: short work is answered at once. */
const EAGER_MS = 1;
/** Then it sleeps between two looks, for this share of the time that the work has taken so far. */
const PAUSE = 1 / 16;
const LONGEST_PAUSE_MS = 10;

// As they are before anyone replaces them, say by a test's fake timers.
const { setImmediate: nextTurn, setTimeout: later } = globalThis;

/** Methods by class name that start asynchronous work, after which Dawn polls. */
const ASYNCHRONOUS: Readonly<Record<string, readonly string[]>> = {
  GPUAdapter: ["requestDevice"],
  GPUDevice: ["createComputePipelineAsync", "createRenderPipelineAsync", "popErrorScope"],
  GPUQueue: ["onSubmittedWorkDone"],
  GPUBuffer: ["mapAsync"],
  GPUShaderModule: ["getCompilationInfo"],
};

type Callback = () => void;
type Method = (this: unknown, ...args: unknown[]) => unknown;

let newestCall = 0;

/** Stands in for setImmediate while Dawn's own code runs. */
function poll(callback: Callback): void {
  const turn = () => whilePolling(callback);
  const waited = performance.now() - newestCall;
  if (waited < EAGER_MS) nextTurn(turn);
  else later(turn, Math.min(PAUSE * waited, LONGEST_PAUSE_MS));
}

/** Runs Dawn's code, synchronously, with `poll` for setImmediate; nobody else sees the exchange. */
function whilePolling<T>(run: () => T): T {
  const outer = globalThis.setImmediate;
  Reflect.set(globalThis, "setImmediate", poll);
  try {
    return run();
  } finally {
    Reflect.set(globalThis, "setImmediate", outer);
  }
}

/** Makes these classes (of Dawn's `globals`) poll gently. */
export function pollGently(classes: object): void {
  for (const [name, methods] of Object.entries(ASYNCHRONOUS)) {
    const prototype = (Reflect.get(classes, name) as { prototype?: Record<string, Method> } | undefined)?.prototype;
    for (const key of methods) {
      const method = prototype?.[key];
      if (!method) continue;
      prototype[key] = function (...args) {
        newestCall = performance.now();
        return whilePolling(() => method.apply(this, args));
      };
    }
  }
}
