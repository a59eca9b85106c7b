// Device time of a family's training step by kernel and by operation.
import { init } from "wgrad";
import { type FamilyName, familyWork } from "./families.ts";
import { canProfile, profile, sumBy } from "./profiling.ts";
import { percent, significant, textTable } from "./table.ts";

export async function profileFamilies(names: readonly FamilyName[], batch: number): Promise<void> {
  const device = await init();
  if (!canProfile(device)) throw new Error("this adapter has no timestamp queries: leave out --profile");
  for (const name of names) {
    const work = await familyWork(name, batch);
    work.step().dispose();
    work.step().dispose();
    const times = await profile(device, async () => {
      work.step().dispose();
      await device.sync();
    });
    for (const by of ["kernel", "op"] as const) {
      const rows = sumBy(times, by)
        .slice(0, 12)
        .map(({ name: what, ms, calls, share }) => [what, significant(ms), String(calls), percent(share)]);
      console.log(`${name}\n${textTable([by, "ms", "calls", "share"], rows)}\n`);
    }
    work.dispose();
  }
  device.destroy();
}
