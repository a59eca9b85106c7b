// Seeded damage to files: of bytes, and of what their formats are made of.
import { gunzipSync, gzipSync } from "node:zlib";
import { unzipSync, type Zippable, zipSync } from "fflate";

/** Random numbers from a seed (mulberry32): the same ones on every machine. */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  }
  of<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("there is nothing to choose from");
    return item;
  }
}

export type Kind = "torch" | "safetensors" | "cifar" | "records" | "pickle";

const latin1 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** Numbers where readers go wrong: at the ends of types, and just beyond sizes. */
const EDGES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
/** Pieces of pickles: marks, memo entries, huge lengths, calls, containers in themselves. */
const OPCODES = [
  "(",
  ")",
  "]",
  "}",
  "\x8f",
  "0",
  "1",
  "2",
  "N",
  "t",
  "l",
  "d",
  "e",
  "u",
  "a",
  "s",
  "b",
  "R",
  "\x81",
  "\x92",
  "o",
  "Q",
  "\x85",
  "\x86",
  "\x87",
  "\x90",
  "\x91",
  "\x93",
  "\x94",
  "h\x00",
  "h\x01",
  "q\x00",
  "j\xff\xff\xff\xff",
  "r\xff\xff\xff\xff",
  "X\xff\xff\xff\xff",
  "\x8d\xff\xff\xff\xff\xff\xff\xff\xff",
  "\x8e\x00\x00\x00\x00\x00\x00\x00\x80",
  "\x8b\xff\xff\xff\x7f",
  "\x8b\xff\x00\x00\x00",
  "B\xff\xff\x00\x00",
  "I9999999999999999999\n",
  "L1\n",
  "F1e999\n",
  "S'\\x'\n",
  "V\\ud800\n",
  "g0\n",
  "p0\n",
  "P1\n",
  "cos\nsystem\n",
  "cbuiltins\nset\n",
  "ccollections\nOrderedDict\n",
  "ctorch._utils\n_rebuild_tensor_v2\n",
  "ctorch._utils\n_rebuild_qtensor\n",
  "c_codecs\nencode\n",
  "cnumpy\ndtype\n",
  "ia\nb\n",
  "K\x00",
  "K\xff",
  "M\xff\xff",
  "J\xff\xff\xff\xff",
  "J\xff\xff\xff\x7f",
  "G\x7f\xf8\x00\x00\x00\x00\x00\x00",
  ".",
];
/** Pieces of JSON headers. */
const JSON_PIECES = [
  '"',
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  "null",
  "-1",
  "1e400",
  "9007199254740993",
  '"dtype"',
  '"shape"',
  '"F8_E5M2"',
  '"I64"',
  '"__metadata__":{}',
  '"__proto__"',
  "\\u0000",
  "[[[[",
  '{"a":',
  "[0]",
  "[0,0]",
  "true",
  "\xff",
  "\\",
];

/** A few changes to bytes. */
function damage(random: Random, bytes: Uint8Array): Uint8Array {
  let out: Uint8Array = bytes.slice();
  const changes = 1 + random.below(random.of([1, 3, 8]));
  for (let i = 0; i < changes && out.length > 0; i++) out = damageOnce(random, out);
  return out;
}

function damageOnce(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length);
  const length = 1 + random.below(Math.min(random.of([4, 64, 1024]), bytes.length - at));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const before = bytes.subarray(0, at);
  switch (random.below(9)) {
    case 0:
      view.setUint8(at, view.getUint8(at) ^ (1 << random.below(8)));
      return bytes;
    case 1:
      view.setUint8(at, random.below(256));
      return bytes;
    case 2:
      return bytes.slice(0, at);
    case 3: // a block goes
      return join(before, bytes.subarray(at + length));
    case 4: // a block comes again, once or often
      return join(
        before,
        ...Array.from({ length: random.of([2, 3, 50]) }, () => bytes.subarray(at, at + length)),
        bytes.subarray(at + length),
      );
    case 5: {
      // a block from elsewhere
      const from = random.below(bytes.length);
      return join(before, bytes.subarray(from, from + length), bytes.subarray(at));
    }
    case 6: // a number becomes another
      if (at + 4 <= bytes.length) view.setUint32(at, random.of([...EDGES, bytes.length, bytes.length + 1]), true);
      return bytes;
    case 7:
      if (at + 8 <= bytes.length)
        view.setBigUint64(at, random.of([0n, 1n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]), true);
      return bytes;
    default:
      bytes.fill(random.of([0, 0x30, 0xff]), at, at + length);
      return bytes;
  }
}

/** Puts pieces of the format in places of the text. */
function sprinkle(random: Random, bytes: Uint8Array, pieces: readonly string[]): Uint8Array {
  let out = bytes;
  for (let i = random.below(4); i >= 0; i--) {
    const at = random.below(out.length + 1);
    const piece = latin1(
      random.of(pieces).repeat(random.below(200) === 0 ? 300_000 : random.of([1, 1, 1, 1, 2, 40, 2000, 20_000])),
    );
    out = join(out.subarray(0, at), piece, out.subarray(at + (random.below(2) === 0 ? piece.length : 0)));
  }
  return out;
}

const inPickle = (random: Random, bytes: Uint8Array): Uint8Array =>
  random.below(2) === 0 ? damage(random, bytes) : sprinkle(random, bytes, OPCODES);

/** Damage inside one entry of a zip archive, which then is a valid archive again. */
function inZip(random: Random, bytes: Uint8Array): Uint8Array {
  const entries: Zippable = {};
  const names = Object.entries(unzipSync(bytes));
  const pickles = names.filter(([name]) => name.endsWith(".pkl") || name.endsWith(".py"));
  const [chosen] = random.of(random.below(4) > 0 && pickles.length > 0 ? pickles : names);
  for (const [name, data] of names) {
    if (name !== chosen) entries[name] = data;
    else if (random.below(12) > 0) entries[random.below(12) > 0 ? name : `${name}x`] = inPickle(random, data);
  }
  return zipSync(entries, { level: random.of([0, 0, 1]) });
}

/** Damage inside a tar, whose headers' sums then are right again. */
function inTar(random: Random, bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(damage(random, bytes));
  if (random.below(3) === 0) {
    const header = 512 * random.below(Math.ceil(out.length / 512));
    const field = latin1(
      random.of([
        "-0000001000",
        "77777777777",
        "00000000000",
        "00000000010\0",
        "\x80\0\0\0\xff\xff\xff\xff",
        "     1",
        "abc",
      ]),
    );
    if (header + 136 <= out.length) out.set(field, header + 124);
    if (header + 157 <= out.length) out.set(latin1(random.of(["0", "5", "x", "g", "L", "K", "1"])), header + 156);
  }
  for (let at = 0; at + 512 <= out.length; at += 512) {
    if (Buffer.from(out.subarray(at + 257, at + 262)).toString("latin1") !== "ustar" && at > 0) continue;
    const sum = out.subarray(at, at + 512).reduce((total, b, i) => total + (i >= 148 && i < 156 ? 0x20 : b), 0);
    out.set(latin1(`${sum.toString(8).padStart(6, "0")}\0 `), at + 148);
  }
  return out;
}

/** Damage inside the header, whose length then is right again. */
function inHeader(random: Random, bytes: Uint8Array): Uint8Array {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = bytes.subarray(8, 8 + length);
  const damaged = random.below(2) === 0 ? damage(random, header) : sprinkle(random, header, JSON_PIECES);
  const out = join(new Uint8Array(8), damaged, bytes.subarray(8 + length));
  new DataView(out.buffer).setBigUint64(0, BigInt(damaged.length), true);
  return out;
}

/** One damaged file of the same format. */
export function mutate(random: Random, kind: Kind, bytes: Uint8Array): Uint8Array {
  if (random.below(3) === 0) return damage(random, bytes);
  if (kind === "safetensors") return inHeader(random, bytes);
  if (kind === "cifar") return new Uint8Array(gzipSync(inTar(random, gunzipSync(bytes)), { level: 1 }));
  if (kind === "records") return damage(random, bytes);
  if (bytes[0] === 0x50) return inZip(random, bytes);
  if (Buffer.from(bytes.subarray(257, 262)).toString("latin1") === "ustar") return inTar(random, bytes);
  return inPickle(random, bytes);
}
