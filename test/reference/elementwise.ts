// f64 references of the elementwise tables, and where tests may draw from. The types ask for one of each row.
import type * as activations from "../../src/ops/activation-rows.ts";
import type * as binaries from "../../src/ops/binary-rows.ts";
import type * as further from "../../src/ops/further-rows.ts";
import type * as unaries from "../../src/ops/unary-rows.ts";

interface Reference<Arguments extends number[]> {
  /** The row's function on f64. */
  readonly ref: (...args: Arguments) => number;
  /** Where tests draw the inputs. */
  readonly domain: readonly [number, number];
}

/** erf on f64, to about 1e-16: Maclaurin series for small arguments, continued fraction of erfc for large ones. */
function erf(v: number): number {
  if (Math.abs(v) < 2.5) {
    let term = v;
    let sum = v;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && n < 100; n++) {
      term *= (-v * v) / n;
      sum += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = k / 2 / (Math.abs(v) + fraction);
  const erfc = Math.exp(-v * v) / Math.sqrt(Math.PI) / (Math.abs(v) + fraction);
  return Math.sign(v) * (1 - erfc);
}

function roundHalfToEven(x: number): number {
  const nearest = Math.round(x);
  return Math.abs(x % 1) === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

const bool = (condition: boolean) => (condition ? 1 : 0);

/** Sorted by name; `a` and `b` are the row's scalars. */
export const unaryReferences: Record<
  keyof typeof unaries | keyof typeof activations | keyof typeof further,
  Reference<[x: number, a: number, b: number]>
> = {
  abs: { ref: Math.abs, domain: [-3, 3] },
  affine: { ref: (x, a, b) => x * a + b, domain: [-3, 3] },
  ceil: { ref: Math.ceil, domain: [-3, 3] },
  celu: { ref: (x, a) => (x > 0 ? x : a * Math.expm1(x / a)), domain: [-3, 3] },
  clamp: { ref: (x, a, b) => Math.min(Math.max(x, a), b), domain: [-3, 3] },
  cos: { ref: Math.cos, domain: [-3, 3] },
  divScalar: { ref: (x, a) => x / a, domain: [-3, 3] },
  elu: { ref: (x, a) => (x > 0 ? x : a * Math.expm1(x)), domain: [-3, 3] },
  erf: { ref: erf, domain: [-3, 3] },
  exp: { ref: Math.exp, domain: [-3, 3] },
  floor: { ref: Math.floor, domain: [-3, 3] },
  gelu: { ref: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)), domain: [-4, 4] },
  geluTanh: {
    ref: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    domain: [-4, 4],
  },
  hardsigmoid: { ref: (x) => Math.min(Math.max(x / 6 + 0.5, 0), 1), domain: [-5, 5] },
  hardswish: { ref: (x) => x * Math.min(Math.max(x / 6 + 0.5, 0), 1), domain: [-5, 5] },
  hardtanh: { ref: (x, a, b) => Math.min(Math.max(x, a), b), domain: [-3, 3] },
  leakyRelu: { ref: (x, a) => (x > 0 ? x : a * x), domain: [-3, 3] },
  log: { ref: Math.log, domain: [0.1, 5] },
  logSigmoid: { ref: (x) => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x))), domain: [-6, 6] },
  maximumScalar: { ref: (x, a) => Math.max(x, a), domain: [-3, 3] },
  minimumScalar: { ref: (x, a) => Math.min(x, a), domain: [-3, 3] },
  mish: { ref: (x) => x * Math.tanh(Math.log1p(Math.exp(x))), domain: [-5, 5] },
  powScalar: { ref: (x, a) => x ** a, domain: [0.2, 3] },
  reciprocal: { ref: (x) => 1 / x, domain: [0.3, 3] },
  relu: { ref: (x) => Math.max(x, 0), domain: [-3, 3] },
  relu6: { ref: (x) => Math.min(Math.max(x, 0), 6), domain: [-3, 9] },
  round: { ref: roundHalfToEven, domain: [-3, 3] },
  rsqrt: { ref: (x) => 1 / Math.sqrt(x), domain: [0.3, 3] },
  selu: {
    ref: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)),
    domain: [-3, 3],
  },
  sigmoid: { ref: sigmoid, domain: [-4, 4] },
  sign: { ref: Math.sign, domain: [-3, 3] },
  silu: { ref: (x) => x * sigmoid(x), domain: [-5, 5] },
  sin: { ref: Math.sin, domain: [-3, 3] },
  smoothL1: { ref: (x, a) => (Math.abs(x) < a ? (x * x) / (2 * a) : Math.abs(x) - a / 2), domain: [-3, 3] },
  softplus: {
    ref: (x, a, b) => (x * a > b ? x : (Math.max(x * a, 0) + Math.log1p(Math.exp(-Math.abs(x * a)))) / a),
    domain: [-6, 6],
  },
  softsign: { ref: (x) => x / (1 + Math.abs(x)), domain: [-5, 5] },
  sqrt: { ref: Math.sqrt, domain: [0.1, 5] },
  square: { ref: (x) => x * x, domain: [-3, 3] },
  threshold: { ref: (x, a, b) => (x > a ? x : b), domain: [-3, 3] },
  tanh: { ref: Math.tanh, domain: [-3, 3] },
};

/** Sorted by name. */
export const binaryReferences: Record<keyof typeof binaries, Reference<[a: number, b: number]>> = {
  add: { ref: (a, b) => a + b, domain: [-3, 3] },
  div: { ref: (a, b) => a / b, domain: [0.5, 3] },
  divOrZero: { ref: (a, b) => (b === 0 ? 0 : a / b), domain: [0.5, 3] },
  eq: { ref: (a, b) => bool(a === b), domain: [-2, 2] },
  equalMask: { ref: (a, b) => bool(a === b), domain: [-2, 2] },
  ge: { ref: (a, b) => bool(a >= b), domain: [-2, 2] },
  greaterMask: { ref: (a, b) => (a < b ? 0 : a === b ? 0.5 : 1), domain: [-2, 2] },
  gt: { ref: (a, b) => bool(a > b), domain: [-2, 2] },
  le: { ref: (a, b) => bool(a <= b), domain: [-2, 2] },
  lessMask: { ref: (a, b) => (a > b ? 0 : a === b ? 0.5 : 1), domain: [-2, 2] },
  logOrZero: { ref: (a, b) => (a === 0 && b >= 0 ? 0 : Math.log(a)), domain: [0.3, 2.5] },
  lt: { ref: (a, b) => bool(a < b), domain: [-2, 2] },
  maximum: { ref: Math.max, domain: [-3, 3] },
  minimum: { ref: Math.min, domain: [-3, 3] },
  mul: { ref: (a, b) => a * b, domain: [-3, 3] },
  mulOrZero: { ref: (a, b) => (b === 0 ? 0 : a * b), domain: [-3, 3] },
  ne: { ref: (a, b) => bool(a !== b), domain: [-2, 2] },
  orZero: { ref: (a, b) => (b === 0 ? 0 : a), domain: [-3, 3] },
  pow: { ref: (a, b) => a ** b, domain: [0.3, 2.5] },
  sub: { ref: (a, b) => a - b, domain: [-3, 3] },
};
