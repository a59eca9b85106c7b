// Reads damaged files one after another. Says which one it is at before it begins, so that who watches knows where it hangs.
import { writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { WgradError } from "../../src/errors.ts";
import { corpus, fileOf, readersOf } from "./corpus.ts";

/** Characters that an error may have. */
const MAX_MESSAGE = 3000;

const held = (): number => {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external; // external has the array buffers
};

/** What reading may hold beyond its tensors. */
const allowed = (fileBytes: number): number => 2 * fileBytes + 2 ** 24;

const gc = globalThis.gc;
if (gc === undefined) throw new Error("run this with --expose-gc");

/** What went wrong, if anything, and whether the file was read to the end. */
async function attempt(
  read: (bytes: Uint8Array) => Promise<number>,
  bytes: Uint8Array,
): Promise<{ fault?: string; read: boolean }> {
  const before = held();
  let tensors = 0;
  let read_ = true;
  try {
    tensors = await read(bytes);
  } catch (error) {
    read_ = false;
    if (!(error instanceof WgradError)) {
      return {
        fault: `an error that is not typed: ${error instanceof Error ? error.stack : String(error)}`,
        read: false,
      };
    }
    if (error.message.length > MAX_MESSAGE) {
      return { fault: `an error of ${error.message.length} characters: ${error.message.slice(0, 200)}`, read: false };
    }
  }
  const grown = held() - before - tensors;
  return grown > allowed(bytes.length)
    ? { fault: `it took ${grown} bytes for a file of ${bytes.length}`, read: read_ }
    : { read: read_ };
}

const [seedText, firstText, lastText, folder = "."] = process.argv.slice(2);
const seed = Number(seedText);
const samples = await corpus();
// What is compiled and cached at the first call is not the file's.
for (const sample of samples) {
  for (const read of readersOf(sample)) await read(sample.bytes).catch(() => undefined);
}
let parsed = 0;
for (let index = Number(firstText); index < Number(lastText); index++) {
  const { sample, bytes } = fileOf(samples, seed, index);
  writeSync(1, `at ${index} ${parsed} ${sample.name}\n`);
  for (const read of readersOf(sample)) {
    let result = await attempt(read, bytes);
    if (result.fault?.startsWith("it took")) {
      // Garbage of the files before counts, too, and so does a page that the allocator keeps: once more, from a clean heap.
      gc();
      result = await attempt(read, bytes);
    }
    if (result.read) parsed++;
    if (result.fault === undefined) continue;
    const path = join(folder, `fuzz-${seed}-${index}.bin`);
    writeFileSync(path, bytes);
    writeSync(1, `fault ${index} ${JSON.stringify(`${sample.name}: ${result.fault} (${path})`)}\n`);
  }
}
writeSync(1, `end ${parsed}\n`);
