// The zip container of torch.save (PyTorch 1.6 and later): data.pkl, and one record for each storage.
import { type UnzipFileInfo, unzipSync } from "fflate";
import { FormatError } from "../errors.ts";
import { ObjectBudget } from "./object-budget.ts";
import { pickleBudget, unpickle } from "./pickle.ts";
import { sizeOfFileDtype } from "./raw.ts";
import { fail, SOURCE, storageRef, type TorchFile } from "./torch-file.ts";
import { torchGlobals } from "./torch-globals.ts";
import { scriptStateDict } from "./torch-script.ts";

const AGAIN = "fetch the file again, or save it anew with torch.save";
/** Deflate cannot do better than this. */
const MAX_RATIO = 1032;
/** What the entries that are read may unpack to together: so many times the file, and a bit. */
const MAX_UNPACKED_RATIO = 16;
const MAX_UNPACKED_REST = 2 ** 24;
/** The same for pickles and code, whose every byte may be an object: names and sizes do not shrink more. */
const MAX_TEXT_RATIO = 64;
const MAX_TEXT_REST = 2 ** 16;
/** Bytes that the list of an archive's entries takes for each. */
const ENTRY_COST = 256;

/**
 * Reads the container: `<any folder>/data.pkl`, `data/<key>` and, since PyTorch 2.1, `byteorder`
 * (https://github.com/pytorch/pytorch/blob/main/torch/serialization.py). Of an archive of TorchScript, which has
 * `constants.pkl` and `code/` too, the tree is the state dict. Checksums are not compared, as PyTorch does not either:
 * with set_crc32_options(False) it writes none.
 */
export function readTorchZip(bytes: Uint8Array): TorchFile {
  const names = entryNames(bytes);
  const pickles = names.filter((name) => name === "data.pkl" || name.endsWith("/data.pkl"));
  const [pickleName] = pickles;
  if (pickleName === undefined || pickles.length > 1) {
    fail(
      `the zip archive holds ${pickles.length} entries named data.pkl but 1 was expected: it is not from torch.save`,
    );
  }
  const folder = pickleName.slice(0, -"data.pkl".length);
  const isScript = names.includes(`${folder}constants.pkl`);
  const isCode = (name: string) => isScript && name.startsWith(`${folder}code/`) && name.endsWith(".py");
  const records = unzip(bytes, (name) => name === pickleName || name === `${folder}byteorder` || isCode(name));
  const order = new TextDecoder().decode(records.get(`${folder}byteorder`)).trim() || "little";
  if (order !== "little" && order !== "big") {
    fail(`the byte order is "${order.slice(0, 20)}" but little or big was expected: ${AGAIN}`);
  }
  const { value } = unpickle(records.get(pickleName) ?? fail(`data.pkl is missing: ${AGAIN}`), 0, {
    source: SOURCE,
    globals: torchGlobals(SOURCE),
    persistent: storageRef,
    opaque: true,
    budget: pickleBudget(bytes.length, SOURCE),
  });
  const code = (path: string) => new TextDecoder().decode(records.get(`${folder}code/${path}`));
  return {
    tree: isScript ? scriptStateDict(value, code) : value,
    bigEndian: order === "big",
    open(refs) {
      const needed = new Set(refs.map(({ key }) => `${folder}data/${key}`));
      const storages = needed.size === 0 ? new Map<string, Uint8Array>() : unzip(bytes, (name) => needed.has(name));
      return ({ key, dtype, count, first }) => {
        const record = storages.get(`${folder}data/${key}`);
        if (record === undefined) fail(`storage "${key.slice(0, 80)}" is missing from the archive: ${AGAIN}`);
        const size = dtype === "untyped" ? 1 : sizeOfFileDtype(dtype);
        const end = (first + count) * size;
        if (end > record.length) {
          fail(
            `storage "${key.slice(0, 80)}" has ${record.length} bytes but its ${count} elements take ${end}: ${AGAIN}`,
          );
        }
        return record.subarray(first * size, end);
      };
    },
  };
}

/** The names of the archive's entries, which must differ. Nothing is unpacked. */
function entryNames(bytes: Uint8Array): string[] {
  const names = new Set<string>();
  const budget = new ObjectBudget(bytes.length, () =>
    fail("the zip archive has too many entries: it is not from torch.save"),
  );
  readZip(bytes, ({ name }) => {
    // A count that the file cannot hold would have the reader run on beyond the end.
    if (name === "") fail(`the zip directory is damaged: ${AGAIN}`);
    if (names.has(name)) fail(`the zip archive holds "${name.slice(0, 80)}" twice: ${AGAIN}`);
    budget.charge(ENTRY_COST + 2 * name.length);
    names.add(name);
    return false;
  });
  return [...names];
}

/** The entries that `wanted` picks, with declared sizes checked before anything of that size is allocated. */
function unzip(bytes: Uint8Array, wanted: (name: string) => boolean): Map<string, Uint8Array> {
  const sizes = new Map<string, number>();
  let stored = 0;
  let unpacked = 0;
  const entries = readZip(bytes, ({ name, size, originalSize, compression }) => {
    if (!wanted(name)) return false;
    sizes.set(name, originalSize);
    stored += size;
    const expands = compression === 0 ? originalSize !== size : originalSize > MAX_RATIO * size;
    if (stored > bytes.length || expands) {
      fail(`"${name.slice(0, 80)}" claims more bytes than the archive holds: it is damaged, ${AGAIN}`);
    }
    unpacked += originalSize;
    const isText = /\.(pkl|py)$/.test(name);
    if (
      unpacked > MAX_UNPACKED_RATIO * bytes.length + MAX_UNPACKED_REST ||
      (isText && originalSize > MAX_TEXT_RATIO * size + MAX_TEXT_REST)
    ) {
      fail(
        `the archive unpacks to many times its size ("${name.slice(0, 80)}" alone to ${originalSize} bytes of ${size}): ` +
          "if you trust it, save it anew with torch.save, which does not compress",
      );
    }
    return true;
  });
  const records = new Map(Object.entries(entries));
  for (const [name, size] of sizes) {
    const length = records.get(name)?.length ?? 0;
    if (length !== size) {
      fail(`"${name.slice(0, 80)}" has ${length} bytes of ${size}: the archive is cut off, ${AGAIN}`);
    }
  }
  return records;
}

function readZip(bytes: Uint8Array, filter: (entry: UnzipFileInfo) => boolean): Record<string, Uint8Array> {
  try {
    return unzipSync(bytes, { filter });
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError(
      `[${SOURCE}] the zip archive cannot be read (${reason.slice(0, 200)}): it is cut off or damaged, ${AGAIN}`,
      { cause },
    );
  }
}
