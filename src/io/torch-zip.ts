// The zip container of torch.save (PyTorch 1.6 and later): data.pkl, and one record for each storage.
import { unzipSync } from "fflate";
import { FormatError } from "../errors.ts";
import { unpickle } from "./pickle.ts";
import { sizeOfFileDtype } from "./raw.ts";
import { fail, SOURCE, storageRef, type TorchFile } from "./torch-file.ts";
import { torchGlobals } from "./torch-globals.ts";

const AGAIN = "fetch the file again, or save it anew with torch.save";
/** Deflate cannot do better than this. */
const MAX_RATIO = 1032;
/** What all entries together may unpack to: so many times the file, and a bit. */
const MAX_UNPACKED_RATIO = 16;
const MAX_UNPACKED_REST = 2 ** 24;
/** The same for data.pkl, whose every byte may be an object: names and sizes do not shrink more. */
const MAX_PICKLE_RATIO = 64;
const MAX_PICKLE_REST = 2 ** 16;

/**
 * Reads the container: `<any folder>/data.pkl`, `data/<key>` and, since PyTorch 2.1, `byteorder`
 * (https://github.com/pytorch/pytorch/blob/main/torch/serialization.py). Checksums are not compared, as PyTorch does
 * not either: with set_crc32_options(False) it writes none.
 */
export function readTorchZip(bytes: Uint8Array): TorchFile {
  const records = readRecords(bytes);
  const pickles = [...records].filter(([name]) => name === "data.pkl" || name.endsWith("/data.pkl"));
  const [first] = pickles;
  if (!first || pickles.length > 1) {
    fail(
      `the zip archive holds ${pickles.length} entries named data.pkl but 1 was expected: it is not from torch.save`,
    );
  }
  const [pickleName, pickle] = first;
  const folder = pickleName.slice(0, -"data.pkl".length);
  if (records.has(`${folder}constants.pkl`)) {
    fail(
      "this is a TorchScript archive, a program with weights: torch.jit.load it in Python and save its state_dict()",
    );
  }
  const order = new TextDecoder().decode(records.get(`${folder}byteorder`)).trim() || "little";
  if (order !== "little" && order !== "big") {
    fail(`the byte order is "${order.slice(0, 20)}" but little or big was expected: ${AGAIN}`);
  }
  const { value: tree } = unpickle(pickle, 0, {
    source: SOURCE,
    globals: torchGlobals(SOURCE),
    persistent: storageRef,
    opaque: true,
  });
  return {
    tree,
    bigEndian: order === "big",
    bytesOf({ key, dtype, count, first }) {
      const record = records.get(`${folder}data/${key}`);
      if (record === undefined) fail(`storage "${key.slice(0, 80)}" is missing from the archive: ${AGAIN}`);
      const size = dtype === "untyped" ? 1 : sizeOfFileDtype(dtype);
      const end = (first + count) * size;
      if (end > record.length) {
        fail(`storage "${key}" has ${record.length} bytes but its ${count} elements take ${end}: ${AGAIN}`);
      }
      return record.subarray(first * size, end);
    },
  };
}

/** The archive's entries that matter, with declared sizes checked before anything of that size is allocated. */
function readRecords(bytes: Uint8Array): Map<string, Uint8Array> {
  const sizes = new Map<string, number>();
  let stored = 0;
  let unpacked = 0;
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(bytes, {
      filter({ name, size, originalSize, compression }) {
        // A count that the file cannot hold would have the reader run on beyond the end.
        if (name === "") fail(`the zip directory is damaged: ${AGAIN}`);
        if (!/(^|\/)(data\.pkl|constants\.pkl|byteorder|data\/[^/]+)$/.test(name)) return false;
        if (sizes.has(name)) fail(`the zip archive holds "${name.slice(0, 80)}" twice: ${AGAIN}`);
        sizes.set(name, originalSize);
        stored += size;
        const expands = compression === 0 ? originalSize !== size : originalSize > MAX_RATIO * size;
        if (stored > bytes.length || expands) {
          fail(`"${name.slice(0, 80)}" claims more bytes than the archive holds: it is damaged, ${AGAIN}`);
        }
        unpacked += originalSize;
        const isPickle = name.endsWith(".pkl");
        if (
          unpacked > MAX_UNPACKED_RATIO * bytes.length + MAX_UNPACKED_REST ||
          (isPickle && originalSize > MAX_PICKLE_RATIO * size + MAX_PICKLE_REST)
        ) {
          fail(
            `the archive unpacks to many times its size ("${name.slice(0, 80)}" alone to ${originalSize} bytes of ${size}): ` +
              "if you trust it, save it anew with torch.save, which does not compress",
          );
        }
        return true;
      },
    });
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError(
      `[${SOURCE}] the zip archive cannot be read (${reason}): it is cut off or damaged, ${AGAIN}`,
      {
        cause,
      },
    );
  }
  const records = new Map(Object.entries(entries));
  for (const [name, size] of sizes) {
    const length = records.get(name)?.length ?? 0;
    if (length !== size)
      fail(`"${name.slice(0, 80)}" has ${length} bytes of ${size}: the archive is cut off, ${AGAIN}`);
  }
  return records;
}
