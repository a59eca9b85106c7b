// Normal numbers of which only those between two bounds are drawn: the inverse of their cdf at uniform numbers, in one pass.
import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type RandomOptions, random, randomOp } from "./random.ts";

// The inverse of erf by two polynomials in -log(1 - x^2) (M. Giles, Approximating the erfinv function, 2012), highest power first:
// relative error below 4e-7 in exact arithmetic.
const NEAR = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
  0.246640727, 1.50140941,
];
const FAR = [
  -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
  1.00167406, 2.83297682,
];
/** WGSL of a polynomial by Horner's rule. */
const polynomial = (of: string, coefficients: readonly number[]): string =>
  coefficients.slice(1).reduce((sum, c) => `(${sum} * ${of} + ${c})`, `${coefficients[0]}`);

// At -1 and 1 themselves the inverse is infinite; 1 - 2^-24 is the number beside 1.
const truncatedNormalOp = randomOp(
  "truncNormal",
  "f32",
  `let x = clamp(unit(r) * (p.b - p.a) + p.a, vec4f(-0.999999940395), vec4f(0.999999940395));
    let w = -log((1.0 - x) * (1.0 + x));
    let near = w - 2.5;
    let far = sqrt(w) - 3.0;
    let z = x * select(${polynomial("far", FAR)}, ${polynomial("near", NEAR)}, w < vec4f(5.0));
    return clamp(z * p.scale + p.offset, vec4f(p.least), vec4f(p.most));`,
);

/** erf on f64 to 2e-7, which is enough for numbers that become f32; by the polynomial of ops/unary-rows.ts. */
function erf(v: number): number {
  const t = 1 / (1 + 0.5 * Math.abs(v));
  const terms = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
    0.17087277,
  ];
  const tail = t * Math.exp(-v * v + terms.reduceRight((sum, c) => sum * t + c, 0));
  return v >= 0 ? 1 - tail : tail - 1;
}

/** Normal numbers of this mean and deviation (above 0), of which only those from `least` to `most` are drawn, f32. */
export function truncatedNormal<S extends Shape>(
  shape: S,
  mean: number,
  std: number,
  [least, most]: readonly [number, number],
  options: RandomOptions = {},
): Tensor<S> {
  const scale = std * Math.SQRT2;
  const [a, b] = [erf((least - mean) / scale), erf((most - mean) / scale)];
  return random(truncatedNormalOp, shape, { a, b, scale, offset: mean, least, most }, options);
}
