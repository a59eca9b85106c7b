// Bounds-checked reads from a pickle stream: every read beyond the end is a FormatError with its position.
import { FormatError } from "../errors.ts";

/** Longest `module` or `name` line of a GLOBAL opcode. */
const MAX_LINE = 1024;

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
    const bytes = this.bytes(length);
    const text = this.#utf8.decode(bytes);
    // Either the file has this character itself, or it stands for what is not UTF-8.
    if (!text.includes("\ufffd")) return text;
    const again = new TextEncoder().encode(text);
    return again.length === bytes.length && again.every((byte, i) => byte === bytes[i]) ? text : bytes;
  }

  /** Text up to a newline, which is consumed. */
  line(): string {
    const end = this.#bytes.subarray(this.position, this.position + MAX_LINE).indexOf(0x0a);
    if (end < 0) this.fail("a name without an end");
    const line = this.text(end);
    if (typeof line !== "string") this.fail("a name that is not UTF-8");
    this.position++;
    return line;
  }
}
