// What the browser's bundle has in the place of vitest: the part of it that the files use which run there, in a page.

type Body = (...args: never[]) => unknown;
interface Case {
  readonly name: string;
  readonly run: () => unknown;
}

const cases: Case[] = [];
const before: (() => unknown)[] = [];
let group = "";

export function describe(name: string, body: () => void): void {
  const outer = group;
  group += `${name} > `;
  body();
  group = outer;
}

/** %s and %j and the like by the arguments, in turn. */
const titled = (name: string, args: readonly unknown[]): string => {
  let at = 0;
  return name.replace(/%\w/g, () => `${Array.isArray(args[at]) ? `[${args[at++]}]` : args[at++]}`);
};

export function test(name: string, run: () => unknown): void {
  cases.push({ name: group + name, run });
}
test.each =
  (rows: readonly unknown[]) =>
  (name: string, body: Body): void => {
    for (const row of rows) {
      const args = Array.isArray(row) ? row : [row];
      test(titled(name, args), () => body(...(args as never[])));
    }
  };

export const beforeAll = (f: () => unknown): void => void before.push(f);
// What tests leave behind is found by `npm test`; here a test that fails would accuse the next.
export const beforeEach = (): void => {};
export const afterEach = (): void => {};
export const afterAll = (): void => {};

const text = (value: unknown): string =>
  JSON.stringify(value, (_, x) => (typeof x === "number" && !Number.isFinite(x) ? String(x) : x))?.slice(0, 2000);

/** Numbers by `Object.is`: NaN is itself, and zero has a sign. */
const same = (a: unknown, b: unknown): boolean =>
  Object.is(a, b) ||
  (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => same(item, b[i])));

export function expect(got: unknown, what = "") {
  const must = (holds: boolean, how: string, expected: unknown): void => {
    if (!holds) throw new Error(`${what ? `${what}: ` : ""}${text(got)} must ${how} ${text(expected)}`);
  };
  return {
    toBe: (expected: unknown) => must(Object.is(got, expected), "be", expected),
    toEqual: (expected: unknown) => must(same(got, expected), "equal", expected),
    toBeLessThan: (most: number) => must((got as number) < most, "be less than", most),
  };
}

/** Runs all that the files have told, prints what fails and what was counted. */
export async function run(): Promise<void> {
  let failed = 0;
  // All files share one page and one device.
  await before[0]?.();
  for (const { name, run } of cases) {
    try {
      await run();
    } catch (error) {
      failed++;
      console.log(`FAIL ${name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  console.log(`end ${JSON.stringify({ passed: cases.length - failed, failed })}`);
}
