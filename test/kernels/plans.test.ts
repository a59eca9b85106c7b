// Plans of rows and channels cover what they are made for, on adapters of either kind.
import fc from "fast-check";
import { expect, test } from "vitest";
import { planChannels } from "../../src/kernels/channel-plan.ts";
import { planRows, roundsOfOne } from "../../src/kernels/row-plan.ts";
import { WG } from "../../src/kernels/wgsl/softmax.wgsl";

const adapters = [{ isSoftware: true }, { isSoftware: false }] as const;
const size = fc.integer({ min: 1, max: 5000 });

test("rows: every one has its lanes, in a grid that is not too large", () => {
  fc.assert(
    fc.property(size, size, fc.constantFrom(...adapters), (rows, length, info) => {
      const plan = planRows(rows, length, info, 7);
      const { lanes, log_lanes, rounds, inner } = plan.params;
      expect(inner).toBe(7);
      expect(lanes).toBe(2 ** log_lanes);
      expect(lanes).toBeLessThanOrEqual(WG);
      const perGroup = (WG / lanes) * rounds;
      expect(plan.groups * perGroup).toBeGreaterThanOrEqual(rows);
      expect((plan.groups - 1) * perGroup).toBeLessThan(rows);
      expect((roundsOfOne(plan) * WG) / lanes).toBeGreaterThanOrEqual(rows);
    }),
  );
});

test("channels: every element has its workgroup, and steps stay in step with memory", () => {
  const shapes = fc.tuple(fc.nat(40), size, fc.nat(60), fc.nat(60)).map((shape) => shape.map((d) => d + 1));
  fc.assert(
    fc.property(shapes, fc.constantFrom(...adapters), ([n = 1, c = 1, h = 1, w = 1], info) => {
      const { params, groups, chunks, width } = planChannels([n, c, h, w], info);
      const { lanes, log_lanes, plane, count, chunk, step_at, step_in, carry } = params;
      expect([plane * width, count * width, lanes]).toEqual([h * w, n * h * w, 2 ** log_lanes]);
      expect(groups * WG).toBeGreaterThanOrEqual(c * lanes);
      expect(chunks * chunk).toBeGreaterThanOrEqual(count);
      expect((chunks - 1) * chunk).toBeLessThan(count);
      // An element's image and place in it, `lanes` further on.
      for (const e of [0, plane - 1]) {
        const passed = (e % plane) + step_in >= plane;
        const to = e + lanes;
        expect(e + step_at + (passed ? carry : 0)).toBe(Math.floor(to / plane) * c * plane + (to % plane));
      }
    }),
  );
});

test("a software adapter gets fewer workgroups", () => {
  const [software, gpu] = adapters;
  expect(planRows(4096, 1000, software).groups).toBeLessThan(planRows(4096, 1000, gpu).groups);
  const shape = [64, 64, 32, 32];
  expect(planChannels(shape, software).chunks).toBe(1);
  expect(planChannels(shape, gpu).chunks).toBeGreaterThan(1);
});
