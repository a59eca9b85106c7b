// Half precision: every bit pattern there and back, and rounding against an independent rule.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { floatToHalf } from "../../src/io/raw.ts";
import { halfToFloat } from "../../src/tensor/half.ts";

const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
const values = halfToFloat(all);

describe("half precision", () => {
  it("decodes by the definition of the format", () => {
    for (const h of all) {
      const [sign, exponent, mantissa] = [h >> 15 ? -1 : 1, (h >> 10) & 31, h & 1023];
      const magnitude =
        exponent === 31
          ? mantissa === 0
            ? Number.POSITIVE_INFINITY
            : Number.NaN
          : exponent === 0
            ? mantissa * 2 ** -24
            : (1 + mantissa / 1024) * 2 ** (exponent - 15);
      if (!Object.is(values[h], sign * magnitude)) expect(values[h]).toBe(sign * magnitude);
    }
  });

  it("encodes what it decoded", () => {
    const again = floatToHalf(values);
    for (const h of all) {
      if (Number.isNaN(values[h])) expect(Number.isNaN(halfToFloat(again.subarray(h, h + 1))[0])).toBe(true);
      else if (again[h] !== h) expect(again[h]).toBe(h);
    }
  });

  it("rounds to nearest, ties to even", () => {
    const finite = [...values.subarray(0, 0x7c00), 65536]; // 65536 stands for infinity: its midpoint is the limit
    const nearest = (x: number): number => {
      const i = Math.max(
        0,
        finite.findIndex((v) => v >= x),
      );
      if (x >= 65536) return 0x7c00;
      const [below, above] = [finite[i - 1] ?? 0, finite[i]!];
      if (x - below === above - x) return i % 2 === 0 ? i : i - 1;
      return x - below < above - x ? i - 1 : i;
    };
    const anyFloat = fc.oneof(
      fc.float({ min: 0, noNaN: true, noDefaultInfinity: true }),
      fc.float({ min: 0, max: Math.fround(2 ** -13), noNaN: true }),
      fc.nat(0x7bff).map((i) => (finite[i]! + finite[i + 1]!) / 2), // exact midpoints
      fc.float({ min: 60000, max: 70000, noNaN: true }),
    );
    fc.assert(
      fc.property(anyFloat, (x) => {
        expect(floatToHalf(Float32Array.of(x))[0]).toBe(nearest(x));
        expect(floatToHalf(Float32Array.of(-x))[0]).toBe(nearest(x) | 0x8000);
      }),
      { numRuns: 500 },
    );
  });
});
