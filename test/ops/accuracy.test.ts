// correctCount against counting on the host.
import fc from "fast-check";
import { expect, test } from "vitest";
import { ShapeError, tensor, zeros } from "wgrad";
import { correctCount } from "../../src/ops/accuracy.ts";
import { eachRow } from "../reference/loss.ts";
import { eachPlan, edge, seed, testCase, withDevice } from "../support/case.ts";
import { host, integers } from "../support/host.ts";

withDevice();

eachPlan(() => {
  testCase<null>({
    name: "correctCount",
    draw: fc
      .record({
        shape: fc.oneof(
          fc.tuple(edge(64), fc.constantFrom(1, 2, 10, 17, 100, 1000)),
          fc.tuple(fc.constantFrom(1, 3), fc.constantFrom(2, 10), fc.constantFrom(1, 7, 65)),
        ),
        s: seed,
      })
      .map(({ shape, s }) => {
        // Few distinct values: ties, of which the first counts. Labels reach one beyond either end.
        const logits = { ...integers(shape, s, 0, 4), dtype: "f32" as const };
        const rows = shape.filter((_, i) => i !== 1);
        return { inputs: [logits, integers(rows, s + 1, -1, Math.min(shape[1]!, 3) + 1)], attrs: null };
      }),
    run: ([logits, labels]) => correctCount(logits!, labels!),
    reference: ([logits, labels]) => {
      let count = 0;
      eachRow(logits!.shape, 1, (at, row) => {
        const values = at.map((i) => logits!.data[i]!);
        if (values.indexOf(Math.max(...values)) === labels!.data[row]) count++;
      });
      return host([], [count], "i32");
    },
    runs: 25,
  });
});

test("labels of another length", () => {
  const [logits, labels] = [zeros([3, 4]), tensor(Int32Array.from([1, 2]))];
  expect(() => correctCount(logits, labels)).toThrow(ShapeError);
  logits.dispose();
  labels.dispose();
});
