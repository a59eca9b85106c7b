// Prints the WebGPU adapter that Node finds; exits 1 with the reason where there is none (used by scripts/setup.sh).
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "webgpu";

process.env.XDG_RUNTIME_DIR ||= mkdtempSync(join(tmpdir(), "wgrad-"));
const adapter = await create([]).requestAdapter();
if (!adapter) {
  console.log("requestAdapter() returned null");
  process.exit(1);
}
const { vendor, architecture, device, description } = adapter.info;
console.log([vendor, architecture, device, description].filter(Boolean).join(", "));
process.exit(0);
