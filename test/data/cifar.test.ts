// CIFAR's binary version: what is parsed, and the errors for damaged, truncated and incomplete files and archives.
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { createTar, createTarGzip } from "nanotar";
import { describe, expect, test } from "vitest";
import { DataError, FormatError } from "../../src/errors.ts";
import { readTarGzip } from "../../src/io/tar.ts";
import {
  CIFAR_LAYOUT,
  type CifarName,
  parseCifarRecords,
  readCifar,
  readCifarArchive,
} from "../../src/vision/datasets/cifar.ts";
import { encodeRecords, makeArchive, makeFiles, makeRecords, PIXELS } from "./cifar-bytes.ts";

const NAMES: CifarName[] = ["cifar10", "cifar100"];
const RECORD = { cifar10: 1 + PIXELS, cifar100: 2 + PIXELS };

const reader = (files: Map<string, Uint8Array>) => async (file: string) => files.get(file);

describe.each(NAMES)("%s", (name) => {
  test("records come back as they were written", () => {
    const records = fc.integer({ min: 1, max: 3 }).chain((count) =>
      fc.record({
        labels: fc.array(
          fc.record({
            fine: fc.integer({ min: 0, max: name === "cifar10" ? 9 : 99 }),
            coarse: fc.integer({ min: 0, max: 19 }),
          }),
          { minLength: count, maxLength: count },
        ),
        pixels: fc.uint8Array({ minLength: count * PIXELS, maxLength: count * PIXELS, size: "max" }),
      }),
    );
    fc.assert(
      fc.property(records, (written) => {
        const read = parseCifarRecords(name, encodeRecords(name, written), "bytes");
        expect(read.count).toBe(written.labels.length);
        expect([...(read.labels.fine ?? [])]).toEqual(written.labels.map((label) => label.fine));
        if (name === "cifar100") expect([...(read.labels.coarse ?? [])]).toEqual(written.labels.map((l) => l.coarse));
        expect(read.images).toEqual(written.pixels);
      }),
      { numRuns: 20 },
    );
  });

  test("files are joined in order, and the archive gives the same as the files", async () => {
    const files = makeFiles(name, 3);
    const archive = await makeArchive(name, files);
    for (const train of [true, false]) {
      const fromFiles = await readCifar(name, reader(files), "files", { train });
      const fromArchive = await readCifarArchive(name, archive, { train });
      expect(fromFiles.length).toBe(train && name === "cifar10" ? 15 : 3);
      expect(fromFiles.shape).toEqual([3, 32, 32]);
      expect(fromArchive).toEqual(fromFiles);
      const last = (train ? CIFAR_LAYOUT[name].train : CIFAR_LAYOUT[name].test).at(-1) ?? "";
      expect(fromFiles.image(fromFiles.length - 1)).toEqual(files.get(last)?.slice(-PIXELS));
    }
    const { classes } = await readCifar(name, reader(files), "files", { train: false });
    expect(classes).toHaveLength(name === "cifar10" ? 10 : 100);
    expect(classes[3]).toBe("fine3");
  });

  test("an archive that is a view of a larger buffer, or whose paths start with ./, is read all the same", async () => {
    const archive = await makeArchive(name, makeFiles(name, 1));
    const larger = new Uint8Array(archive.length + 20);
    larger.set(archive, 7);
    const view = larger.subarray(7, 7 + archive.length);
    expect((await readCifarArchive(name, view, { train: false })).length).toBe(1);
    const dotted = await createTarGzip(
      [...makeFiles(name, 1)].map(([file, data]) => ({ name: `./${CIFAR_LAYOUT[name].folder}/${file}`, data })),
    );
    expect((await readCifarArchive(name, dotted, { train: false })).length).toBe(1);
  });

  test("a truncated or wrongly sized file", () => {
    const bytes = encodeRecords(name, makeRecords(name, 2, 1));
    for (const length of [0, 1, RECORD[name] - 1, RECORD[name] + 1, bytes.length - 1]) {
      const act = () => parseCifarRecords(name, bytes.subarray(0, length), "train.bin");
      expect(act).toThrow(FormatError);
      expect(act).toThrow(`train.bin has ${length} bytes; expected a whole number of ${RECORD[name]}-byte records`);
    }
  });

  test("a label out of range", () => {
    const bytes = encodeRecords(name, makeRecords(name, 2, 1));
    bytes[RECORD[name] + (name === "cifar10" ? 0 : 1)] = 100;
    const act = () => parseCifarRecords(name, bytes, "train.bin");
    expect(act).toThrow(FormatError);
    expect(act).toThrow(/train.bin: record 1 has fine label 100; expected 0..(9|99)/);
  });

  test.each([0, 1])("a missing member", async (which) => {
    const files = makeFiles(name, 1);
    const { train, names } = CIFAR_LAYOUT[name];
    const missing = [train.at(-1) ?? "", names.fine][which] ?? "";
    files.delete(missing);
    const act = readCifarArchive(name, await makeArchive(name, files), { train: true }, "some.tar.gz");
    await expect(act).rejects.toThrow(DataError);
    await expect(act).rejects.toThrow(`some.tar.gz has no ${missing}`);
  });

  test("class names that do not fit", async () => {
    const files = makeFiles(name, 1);
    files.set(CIFAR_LAYOUT[name].names.fine, new TextEncoder().encode("cat\ndog\n"));
    const act = readCifar(name, reader(files), "files", { train: false });
    await expect(act).rejects.toThrow(/names 2 classes; expected 10/);
  });
});

test("CIFAR-100's coarse labels; CIFAR-10 has none", async () => {
  const files = makeFiles("cifar100", 2);
  const coarse = await readCifar("cifar100", reader(files), "files", { train: true, labels: "coarse" });
  expect([...coarse.labels]).toEqual([0, 1]);
  expect(coarse.classes[19]).toBe("coarse19");
  const act = readCifar("cifar10", reader(makeFiles("cifar10", 1)), "files", { train: true, labels: "coarse" });
  await expect(act).rejects.toThrow(DataError);
});

describe("a damaged archive", async () => {
  const whole = await makeArchive("cifar10", makeFiles("cifar10", 2));
  const read = (bytes: Uint8Array) => readCifarArchive("cifar10", bytes, { train: true }, "some.tar.gz");

  test.each([0.1, 0.5, 0.99])("cut at %d of its compressed bytes", async (part) => {
    const act = read(whole.subarray(0, Math.floor(whole.length * part)));
    await expect(act).rejects.toThrow(FormatError);
    await expect(act).rejects.toThrow(/some.tar.gz is damaged or truncated/);
  });

  test("cut only in its last eight bytes, the gzip check", async () => {
    await expect(read(whole.subarray(0, -4))).rejects.toThrow(FormatError);
  });

  test("a tar cut before it was compressed", async () => {
    const tar = gunzipSync(whole);
    await expect(read(gzipSync(tar.subarray(0, 9000)))).rejects.toThrow(/ends in the middle of a file/);
  });

  test("a flipped byte", async () => {
    const bytes = whole.slice();
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] ?? 0) ^ 0xff;
    await expect(read(bytes)).rejects.toThrow(FormatError);
  });

  test("a folder of negative size", { timeout: 5000 }, async () => {
    const tar = gunzipSync(whole);
    const header = tar.subarray(0, 512);
    header.write("-0000001000\0", 124, "latin1");
    header.write("5", 156, "latin1");
    const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    await expect(read(gzipSync(tar))).rejects.toThrow(FormatError);
    await expect(read(gzipSync(tar))).rejects.toThrow(/an entry whose size is not a number of at least 0/);
  });

  test("an archive that unpacks to many times its size", async () => {
    const bomb = gzipSync(new Uint8Array(20e6));
    await expect(readTarGzip(bomb, "a.tar.gz")).rejects.toThrow(FormatError);
    await expect(readTarGzip(bomb, "a.tar.gz")).rejects.toThrow(/a\.tar\.gz unpacks to more than \d+ bytes/);
  });

  test("many headers for all files", { timeout: 5000 }, async () => {
    const tar = new Uint8Array(createTar([{ name: "a", data: "1 a=b\n" }]));
    tar[156] = "g".charCodeAt(0);
    const sum = tar.subarray(0, 512).reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
    tar.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
    const entry = tar.subarray(0, 1024);
    await expect(read(gzipSync(Buffer.concat(Array(100).fill(entry))))).rejects.toThrow(/more than 10000 entries/);
  });

  test("not gzip: a web page; gzip, but no tar; nothing", async () => {
    await expect(read(new TextEncoder().encode("<html>Not found</html>"))).rejects.toThrow(/does not start like gzip/);
    await expect(read(gzipSync(new Uint8Array(5000).fill(65)))).rejects.toThrow(/not a tar/);
    await expect(read(gzipSync(""))).rejects.toThrow(FormatError);
    await expect(read(new Uint8Array())).rejects.toThrow(FormatError);
  });

  test("CIFAR-100's archive where CIFAR-10's is expected", async () => {
    await expect(read(await makeArchive("cifar100", makeFiles("cifar100", 1)))).rejects.toThrow(DataError);
  });
});
