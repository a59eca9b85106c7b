// Elementwise functions of one tensor as ONNX nodes, by the names of the library's tables.
import type { Graph } from "./graph.ts";

type Unary = (g: Graph, x: string, scalars: readonly number[]) => string;

const named =
  (type: string): Unary =>
  (g, x) =>
    g.node(type, [x]);

const scalar = (g: Graph, value: number): string => g.floats([value]);
const mul = (g: Graph, a: string, b: string): string => g.node("Mul", [a, b]);
const add = (g: Graph, a: string, b: string): string => g.node("Add", [a, b]);

const clip: Unary = (g, x, [low = -Infinity, high = Infinity]) =>
  g.node("Clip", [
    x,
    ...(low === -Infinity ? [""] : [scalar(g, low)]),
    ...(high === Infinity ? [] : [scalar(g, high)]),
  ]);

const softplus: Unary = (g, x, [beta = 1, threshold = 20]) => {
  const z = beta === 1 ? x : mul(g, x, scalar(g, beta));
  const y = g.node("Softplus", [z]);
  const scaled = beta === 1 ? y : g.node("Div", [y, scalar(g, beta)]);
  return g.node("Where", [g.node("Greater", [z, scalar(g, threshold)]), x, scaled]);
};

export const truncated = (g: Graph, x: string): string =>
  mul(g, g.node("Sign", [x]), g.node("Floor", [g.node("Abs", [x])]));

/** Sorted by name. */
export const unaries: Readonly<Record<string, Unary>> = {
  abs: named("Abs"),
  acos: named("Acos"),
  affine: (g, x, [scale = 1, offset = 0]) => {
    const scaled = scale === 1 ? x : mul(g, x, scalar(g, scale));
    if (offset !== 0) return add(g, scaled, scalar(g, offset));
    return scale === 1 ? g.node("Identity", [x]) : scaled;
  },
  asin: named("Asin"),
  atan: named("Atan"),
  ceil: named("Ceil"),
  celu: (g, x, [alpha = 1]) => g.node("Celu", [x], { alpha: { float: alpha } }),
  clamp: clip,
  cos: named("Cos"),
  cosh: named("Cosh"),
  divScalar: (g, x, [other = 1]) => g.node("Div", [x, scalar(g, other)]),
  elu: (g, x, [alpha = 1]) => g.node("Elu", [x], { alpha: { float: alpha } }),
  erf: named("Erf"),
  erfc: (g, x) => g.node("Sub", [scalar(g, 1), g.node("Erf", [x])]),
  exp: named("Exp"),
  exp2: (g, x) => g.node("Pow", [scalar(g, 2), x]),
  expm1: (g, x) => g.node("Sub", [g.node("Exp", [x]), scalar(g, 1)]),
  floor: named("Floor"),
  gelu: (g, x) => {
    const cdf = add(g, g.node("Erf", [mul(g, x, scalar(g, Math.SQRT1_2))]), scalar(g, 1));
    return mul(g, mul(g, x, cdf), scalar(g, 0.5));
  },
  geluTanh: (g, x) => {
    const cube = mul(g, mul(g, mul(g, x, x), x), scalar(g, 0.044715));
    const t = g.node("Tanh", [mul(g, add(g, x, cube), scalar(g, Math.sqrt(2 / Math.PI)))]);
    return mul(g, mul(g, x, add(g, t, scalar(g, 1))), scalar(g, 0.5));
  },
  hardsigmoid: (g, x) => g.node("HardSigmoid", [x], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } }),
  hardswish: named("HardSwish"),
  hardtanh: clip,
  leakyRelu: (g, x, [slope = 0.01]) => g.node("LeakyRelu", [x], { alpha: { float: slope } }),
  log: named("Log"),
  log10: (g, x) => mul(g, g.node("Log", [x]), scalar(g, Math.LOG10E)),
  log1p: (g, x) => g.node("Log", [add(g, x, scalar(g, 1))]),
  log2: (g, x) => mul(g, g.node("Log", [x]), scalar(g, Math.LOG2E)),
  logSigmoid: (g, x) => g.node("Neg", [g.node("Softplus", [g.node("Neg", [x])])]),
  maximumScalar: (g, x, [other = 0]) => g.node("Max", [x, scalar(g, other)]),
  minimumScalar: (g, x, [other = 0]) => g.node("Min", [x, scalar(g, other)]),
  mish: (g, x) => mul(g, x, g.node("Tanh", [g.node("Softplus", [x])])),
  powScalar: (g, x, [exponent = 1]) => g.node("Pow", [x, scalar(g, exponent)]),
  reciprocal: named("Reciprocal"),
  relu: named("Relu"),
  relu6: (g, x) => clip(g, x, [0, 6]),
  rootOfVariance: named("Sqrt"),
  round: named("Round"),
  rsqrt: (g, x) => g.node("Reciprocal", [g.node("Sqrt", [x])]),
  selu: named("Selu"),
  sigmoid: named("Sigmoid"),
  sign: named("Sign"),
  silu: (g, x) => mul(g, x, g.node("Sigmoid", [x])),
  sin: named("Sin"),
  sinh: named("Sinh"),
  smoothL1: (g, x, [beta = 1]) => {
    const z = g.node("Abs", [x]);
    const inside = mul(g, mul(g, z, z), scalar(g, 0.5 / beta));
    const outside = g.node("Sub", [z, scalar(g, 0.5 * beta)]);
    return g.node("Where", [g.node("Less", [z, scalar(g, beta)]), inside, outside]);
  },
  softplus,
  softsign: named("Softsign"),
  sqrt: named("Sqrt"),
  square: (g, x) => mul(g, x, x),
  tan: named("Tan"),
  tanh: named("Tanh"),
  threshold: (g, x, [threshold = 0, value = 0]) =>
    g.node("Where", [g.node("Greater", [x, scalar(g, threshold)]), x, scalar(g, value)]),
  trunc: truncated,
};
