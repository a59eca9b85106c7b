// Dawn as a browser's WebGPU: what TensorFlow.js and jax-js look for before they are imported.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

process.env.XDG_RUNTIME_DIR ||= mkdtempSync(join(tmpdir(), "wgrad-peers-"));
const { create, globals } = await import("webgpu");
Object.assign(globalThis, globals);
const navigator = { gpu: create([]), userAgent: "Node.js" };
// Newer Nodes have a navigator of their own, which cannot be assigned to.
Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
