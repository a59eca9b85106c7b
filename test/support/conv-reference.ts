// conv2d and its gradients in f64, by definition: the reference that golden vectors pin.
import { type HostArray, host } from "./host.ts";

export interface ConvAttrs {
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;
}

type Visit = (x: number, w: number, y: number) => void;

/** Calls `visit` with the offsets of every (input, weight, output) triple that is multiplied. */
function walk(x: readonly number[], w: readonly number[], y: readonly number[], a: ConvAttrs, visit: Visit): void {
  const [N, C, H, W] = x as [number, number, number, number];
  const [F, CG, KH, KW] = w as [number, number, number, number];
  const [, , OH, OW] = y as [number, number, number, number];
  const FG = F / a.groups;
  for (let n = 0; n < N; n++)
    for (let f = 0; f < F; f++)
      for (let oh = 0; oh < OH; oh++)
        for (let ow = 0; ow < OW; ow++)
          for (let c = 0; c < CG; c++)
            for (let kh = 0; kh < KH; kh++)
              for (let kw = 0; kw < KW; kw++) {
                const h = oh * a.stride[0] - a.padding[0] + kh * a.dilation[0];
                const v = ow * a.stride[1] - a.padding[1] + kw * a.dilation[1];
                if (h < 0 || h >= H || v < 0 || v >= W) continue;
                const channel = Math.floor(f / FG) * CG + c;
                visit(
                  ((n * C + channel) * H + h) * W + v,
                  ((f * CG + c) * KH + kh) * KW + kw,
                  ((n * F + f) * OH + oh) * OW + ow,
                );
              }
}

export function convShape(x: readonly number[], w: readonly number[], a: ConvAttrs): number[] {
  const out = [0, 1].map(
    (i) => Math.floor((x[2 + i]! + 2 * a.padding[i]! - a.dilation[i]! * (w[2 + i]! - 1) - 1) / a.stride[i]!) + 1,
  );
  return [x[0]!, w[0]!, ...out];
}

export function conv2d(x: HostArray, w: HostArray, bias: HostArray | undefined, a: ConvAttrs): HostArray {
  const y = host(convShape(x.shape, w.shape, a));
  const plane = y.shape[2]! * y.shape[3]!;
  if (bias) for (let i = 0; i < y.data.length; i++) y.data[i] = bias.data[Math.floor(i / plane) % w.shape[0]!]!;
  walk(x.shape, w.shape, y.shape, a, (i, j, k) => {
    y.data[k]! += x.data[i]! * w.data[j]!;
  });
  return y;
}

export function conv2dVjp(dy: HostArray, x: HostArray, w: HostArray, a: ConvAttrs): [HostArray, HostArray, HostArray] {
  const dx = host(x.shape);
  const dw = host(w.shape);
  const db = host([w.shape[0]!]);
  walk(x.shape, w.shape, dy.shape, a, (i, j, k) => {
    dx.data[i]! += dy.data[k]! * w.data[j]!;
    dw.data[j]! += dy.data[k]! * x.data[i]!;
  });
  const plane = dy.shape[2]! * dy.shape[3]!;
  dy.data.forEach((g, k) => {
    db.data[Math.floor(k / plane) % w.shape[0]!]! += g;
  });
  return [dx, dw, db];
}
