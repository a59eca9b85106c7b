// Numbers by formula: the same in every library and language, without a file to share. See peers/formula.py.

/**
 * n values in [-scale, scale), exact in f32: a hash of index and seed (lowbias32), its upper 24 bits as a fraction.
 */
export function uniform(n, seed, scale = 1) {
  const values = new Float32Array(n);
  for (let i = 0; i < n; i++) values[i] = (hash(i, seed) / 2 ** 23 - 1) * scale;
  return values;
}

/**
 * n labels in [0, classes).
 */
export function labels(n, seed, classes) {
  return Int32Array.from({ length: n }, (_, i) => hash(i, seed) % classes);
}

function hash(i, seed) {
  let h = (i + Math.imul(seed, 0x9e3779b9)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return ((h ^ (h >>> 16)) >>> 8) & 0xffffff;
}

/**
 * The bound of a parameter's uniform values: about Kaiming's for weights, 0 for biases and 1 for a norm's weights.
 */
export function parameter(name, shape, seed) {
  const n = shape.reduce((a, b) => a * b, 1);
  if (shape.length === 1) return new Float32Array(n).fill(name.endsWith("bias") ? 0 : 1);
  const fanIn = n / shape[0];
  return uniform(n, seed, Math.fround(Math.sqrt(6 / fanIn)));
}
