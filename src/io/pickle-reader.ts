// Bounds-checked reads from a pickle stream: every read beyond the end is a FormatError with its position.
import { FormatError } from "../errors.ts";

/** Longest `module` or `name` line of a GLOBAL opcode. */
const MAX_LINE = 1024;

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["a", "\x07"],
  ["b", "\b"],
  ["f", "\f"],
  ["v", "\v"],
]);

/** Each byte as the character of its number. (TextDecoder's "latin1" is windows-1252.) */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}

export class PickleReader {
  position: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #source: string;
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(bytes: Uint8Array, start: number, source: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = start;
    this.#source = source;
  }

  fail(message: string): never {
    throw new FormatError(
      `[${this.#source}] damaged pickle at byte ${this.position}: ${message}. Fetch the file again, or save it anew.`,
    );
  }

  /** Moves past `count` bytes and returns where they began. */
  #take(count: number): number {
    const at = this.position;
    if (count > this.#bytes.length - at) {
      this.fail(`${count} bytes are needed but ${this.#bytes.length - at} are left, so the file is cut off`);
    }
    this.position = at + count;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8)); // the one big-endian field of the format
  }

  /** A little-endian unsigned integer of 1, 2, 4 or 8 bytes. */
  unsigned(size: 1 | 2 | 4 | 8): number {
    const at = this.#take(size);
    if (size === 1) return this.#view.getUint8(at);
    if (size === 2) return this.#view.getUint16(at, true);
    if (size === 4) return this.#view.getUint32(at, true);
    return Number(this.#view.getBigUint64(at, true));
  }

  /** A length field: no more than what is left of the stream. */
  length(size: 1 | 2 | 4 | 8): number {
    const length = this.unsigned(size);
    const left = this.#bytes.length - this.position;
    if (length > left) this.fail(`a value of ${length} bytes but ${left} are left, so the file is cut off`);
    return length;
  }

  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** Text, or its bytes where they are not UTF-8: different ones stay different. */
  text(length: number): string | Uint8Array {
    return this.#text(this.bytes(length));
  }

  #text(bytes: Uint8Array): string | Uint8Array {
    const text = this.#utf8.decode(bytes);
    // Either the file has this character itself, or it stands for what is not UTF-8.
    if (!text.includes("\ufffd")) return text;
    const again = new TextEncoder().encode(text);
    return again.length === bytes.length && again.every((byte, i) => byte === bytes[i]) ? text : bytes;
  }

  /** A name up to a newline, which is consumed. */
  line(): string {
    const line = this.#text(this.#untilNewline(MAX_LINE));
    if (typeof line !== "string") this.fail("a name that is not UTF-8");
    return line;
  }

  /** Protocol 0's whole numbers: `I` (with 00 and 01 for booleans) and `L` write them in decimal. */
  decimal(): number | bigint | boolean {
    const line = this.line();
    if (line === "00" || line === "01") return line === "01";
    if (!/^[+-]?\d{1,600}L?$/.test(line)) this.fail(`"${line.slice(0, 40)}" where a whole number was expected`);
    const value = BigInt(line.replace(/^\+|L$/g, ""));
    return BigInt.asIntN(53, value) === value ? Number(value) : value;
  }

  /** An index into the memo, in decimal. */
  index(): number {
    const line = this.line();
    if (!/^\d{1,9}$/.test(line)) this.fail(`"${line.slice(0, 40)}" where a memo entry was expected`);
    return Number(line);
  }

  /** Protocol 0's floats, as Python prints them. */
  float(): number {
    const line = this.line();
    const named = /^([+-]?)(inf|nan)$/.exec(line);
    if (named) return named[2] === "nan" ? Number.NaN : named[1] === "-" ? -Infinity : Infinity;
    if (!/^[+-]?[\d.]+(e[+-]?\d+)?$/i.test(line)) this.fail(`"${line.slice(0, 40)}" where a float was expected`);
    return Number(line);
  }

  /** Protocol 0's str: quoted, with Python's escapes. Its bytes are text where they are UTF-8. */
  quoted(): string | Uint8Array {
    const line = this.#untilNewline();
    const quote = line[0];
    if (line.length < 2 || (quote !== 0x27 && quote !== 0x22) || line.at(-1) !== quote)
      this.fail("a string without quotes");
    const text = latin1(line.subarray(1, -1)).replace(/\\(x[\da-f]{2}|.)/gis, (_, code: string) =>
      code.length === 3 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : (ESCAPES.get(code) ?? code),
    );
    return this.#text(Uint8Array.from(text, (c) => c.charCodeAt(0)));
  }

  /** Protocol 0's unicode: latin-1, with \uXXXX and \UXXXXXXXX for the rest. */
  unicode(): string {
    return latin1(this.#untilNewline()).replace(
      /\\(?:u([\da-fA-F]{4})|U([\da-fA-F]{8}))/g,
      (_, short = "", long = "") => {
        const code = Number.parseInt(short || long, 16);
        return code > 0x10ffff ? this.fail("a character beyond Unicode") : String.fromCodePoint(code);
      },
    );
  }

  #untilNewline(limit = this.#bytes.length): Uint8Array {
    const end = this.#bytes.subarray(this.position, this.position + limit).indexOf(0x0a);
    if (end < 0) this.fail("a line without an end");
    const line = this.bytes(end);
    this.position++;
    return line;
  }
}
