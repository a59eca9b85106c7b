// PyTorch's own test samples and special numbers through every operation's public name: results and gradients as PyTorch's, NaN
// and infinities included. The recording is made by scripts/oracle/op_db.py, which has many more.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { withDevice } from "../support/case.ts";
import { type Recording, replay } from "../support/replay.ts";

withDevice();

const recording: Recording = JSON.parse(readFileSync(new URL("./op_db.json", import.meta.url), "utf8"));

describe("as PyTorch", () => {
  test.each([...new Set(recording.cases.map(({ op }) => op))])("%s", async (op) => {
    const found: string[] = [];
    for (const c of recording.cases) {
      if (c.op !== op) continue;
      const d = await replay(recording, c);
      if (d) found.push(`${d.where}: ${d.detail}`);
    }
    expect(found).toEqual([]);
  });
});
