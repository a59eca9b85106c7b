// Philox 4x32-10 on the host: the same words as random.wgsl, for shuffling.
// Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011.

type Words = [number, number, number, number];

/** The upper word of a * b. */
function high(a: number, b: number): number {
  const low = Math.imul(a & 0xffff, b & 0xffff) >>> 0;
  const cross = (a >>> 16) * (b & 0xffff) + (low >>> 16);
  const carry = (a & 0xffff) * (b >>> 16) + (cross & 0xffff);
  return ((a >>> 16) * (b >>> 16) + Math.floor(cross / 65536) + Math.floor(carry / 65536)) >>> 0;
}

/** Four words of 32 random bits. */
export function philox(counter: Readonly<Words>, key: readonly [number, number]): Words {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [h0, h1] = [high(0xd2511f53, c0), high(0xcd9e8d57, c2)];
    const [l0, l1] = [Math.imul(0xd2511f53, c0) >>> 0, Math.imul(0xcd9e8d57, c2) >>> 0];
    [c0, c1, c2, c3] = [(h1 ^ c1 ^ k0) >>> 0, l1, (h0 ^ c3 ^ k1) >>> 0, l0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** The numbers 0 to n - 1 in random order (Fisher and Yates). */
export function shuffled(
  n: number,
  seed: readonly [low: number, high: number],
  stream: number,
): Int32Array<ArrayBuffer> {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    // 53 random bits: the bias of scaling them to i + 1 cannot be noticed.
    const j = Math.floor(uniformAt(i, seed, stream) * (i + 1));
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  return order;
}

/** A seed as the two words that the generator takes. */
export const seedOf = (seed: number): [low: number, high: number] => [seed >>> 0, Math.floor(seed / 2 ** 32)];

/** Number `i` of a stream, uniform in [0, 1) with 53 bits. */
export function uniformAt(i: number, seed: readonly [low: number, high: number], stream: number): number {
  const words = philox([i, 0, 0, seed[1]], [seed[0], stream]);
  return (words[0] * 2 ** 21 + (words[1] >>> 11)) / 2 ** 53;
}
