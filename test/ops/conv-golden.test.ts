// The f64 convolution reference against PyTorch's golden vectors (scripts/golden/conv.py).
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type ConvAttrs, conv2d, conv2dVjp } from "../support/conv-reference.ts";
import { type HostArray, host, sizeOf } from "../support/host.ts";

interface Golden extends ConvAttrs {
  readonly x: number[];
  readonly w: number[];
  readonly bias: boolean;
  readonly yShape: number[];
  readonly y: number[];
  readonly dx: number[];
  readonly dw: number[];
  readonly db: number[];
}
const cases = JSON.parse(readFileSync(new URL("../golden/conv.json", import.meta.url), "utf8")) as Golden[];

/** The formula of scripts/golden/conv.py. */
const values = (shape: readonly number[], salt: number): HostArray =>
  host(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 37 + salt * 11) % 101) / 50 - 1),
  );

const close = (got: ArrayLike<number>, want: readonly number[]) => {
  expect(got.length).toBe(want.length);
  want.forEach((v, i) => {
    expect(Math.abs(got[i]! - v)).toBeLessThan(2e-9);
  });
};

test.each(cases)("conv2d of $x with $w, stride $stride, padding $padding, dilation $dilation, groups $groups", (g) => {
  const [x, w] = [values(g.x, 1), values(g.w, 2)];
  const y = conv2d(x, w, g.bias ? values([g.w[0]!], 3) : undefined, g);
  expect(y.shape).toEqual(g.yShape);
  close(y.data, g.y);
  const [dx, dw, db] = conv2dVjp(values(g.yShape, 4), x, w, g);
  close(dx.data, g.dx);
  close(dw.data, g.dw);
  if (g.bias) close(db.data, g.db);
});
