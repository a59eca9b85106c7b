// What the browser's bundle has in the place of vitest: the part of it that the files use which run there, in a page.

type Body = (...args: never[]) => unknown;
interface Case {
  readonly name: string;
  readonly run: () => unknown;
}

const cases: Case[] = [];
const before: (() => unknown)[] = [];
let group = "";

/** %s and %j and the like by the arguments, in turn. */
const titled = (name: string, args: readonly unknown[]): string => {
  let at = 0;
  return name.replace(/%\w/g, () => `${Array.isArray(args[at]) ? `[${args[at++]}]` : args[at++]}`);
};

/** `f` for each of the rows. */
const eachOf =
  (f: (name: string, run: () => unknown) => void) =>
  (rows: readonly unknown[]) =>
  (name: string, body: Body): void => {
    for (const row of rows) {
      const args = Array.isArray(row) ? row : [row];
      f(titled(name, args), () => body(...(args as never[])));
    }
  };

export function describe(name: string, body: () => unknown): void {
  const outer = group;
  group += `${name} > `;
  body();
  group = outer;
}
describe.each = eachOf(describe);

export function test(name: string, run: () => unknown): void {
  cases.push({ name: group + name, run });
}
test.each = eachOf(test);

export const beforeAll = (f: () => unknown): void => void before.push(f);
// What tests leave behind is found by `npm test`; here a test that fails would accuse the next.
export const beforeEach = (): void => {};
export const afterEach = (): void => {};
export const afterAll = (): void => {};

const text = (value: unknown): string =>
  JSON.stringify(value, (_, x) => (typeof x === "number" && !Number.isFinite(x) ? String(x) : x))?.slice(0, 2000);

/** Numbers by `Object.is`: NaN is itself, and zero has a sign. */
function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  const items = Object.entries(a);
  return items.length === Object.keys(b).length && items.every(([key, item]) => same(item, Reflect.get(b, key)));
}

/** What `f` throws is of this class, or its message is like this. */
function throws(f: () => unknown, expected: RegExp | (new (...args: never[]) => Error)): boolean {
  try {
    f();
    return false;
  } catch (error) {
    return expected instanceof RegExp
      ? error instanceof Error && expected.test(error.message)
      : error instanceof expected;
  }
}

export function expect(got: unknown, what = "") {
  const held = (wanted: boolean) => {
    const must = (holds: boolean, how: string, expected?: unknown): void => {
      if (holds !== wanted)
        throw new Error(`${what ? `${what}: ` : ""}${text(got)} must${wanted ? "" : " not"} ${how} ${text(expected)}`);
    };
    return {
      toBe: (expected: unknown) => must(Object.is(got, expected), "be", expected),
      // As vitest has it: half of the last digit.
      toBeCloseTo: (expected: number, digits = 2) =>
        must(Math.abs((got as number) - expected) < 10 ** -digits / 2, "be close to", expected),
      toBeDefined: () => must(got !== undefined, "be defined"),
      toBeGreaterThan: (least: number) => must((got as number) > least, "be greater than", least),
      toBeInstanceOf: (kind: new (...args: never[]) => unknown) => must(got instanceof kind, "be a", kind.name),
      toBeLessThan: (most: number) => must((got as number) < most, "be less than", most),
      toBeLessThanOrEqual: (most: number) => must((got as number) <= most, "be at most", most),
      toBeNaN: () => must(Number.isNaN(got), "be NaN"),
      toEqual: (expected: unknown) => must(same(got, expected), "equal", expected),
      toHaveLength: (length: number) => must((got as { length: number }).length === length, "have length", length),
      toThrow: (expected: Parameters<typeof throws>[1]) =>
        must(throws(got as () => unknown, expected), "throw", String(expected)),
    };
  };
  return { ...held(true), not: held(false) };
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
