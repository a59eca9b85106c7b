// Which emoji the four openly licensed sets have, what class each is, and on which side of the split it falls.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";

// Through `require`, because Node 20 warns at each import of JSON as a module.
const require = createRequire(import.meta.url);
type IconSet = typeof import("@iconify-json/twemoji");
interface Package {
  version: string;
}

/** The sets, in the order in which their emoji's names are preferred. */
const SETS: Readonly<Record<string, { load: () => IconSet; version: () => Package }>> = {
  twemoji: {
    load: () => require("@iconify-json/twemoji"),
    version: () => require("@iconify-json/twemoji/package.json"),
  },
  noto: {
    load: () => require("@iconify-json/noto"),
    version: () => require("@iconify-json/noto/package.json"),
  },
  "fluent-emoji-flat": {
    load: () => require("@iconify-json/fluent-emoji-flat"),
    version: () => require("@iconify-json/fluent-emoji-flat/package.json"),
  },
  openmoji: {
    load: () => require("@iconify-json/openmoji"),
    version: () => require("@iconify-json/openmoji/package.json"),
  },
};

/**
 * Drawings with a leftover half-transparent shape outside their frame: resvg 2.6 aborts the process on them
 * (https://github.com/thx/resvg-js/issues/415).
 */
const NOT_DRAWABLE: ReadonlySet<string> = new Set(["noto package", "noto rainbow-flag"]);

/** One set's drawing of one emoji. */
export interface Drawing {
  /** The emoji's name, the same in all sets, such as `red-apple`. */
  emoji: string;
  set: string;
  /** The category that the packages name, such as `Food & Drink`. */
  category: string;
  svg: string;
}

/** Versions of the packages that the drawings come from: a part of the cache's key. */
export function setVersions(): string {
  return Object.entries(SETS)
    .map(([set, { version }]) => `${set}@${version().version}`)
    .join(" ");
}

interface Icon {
  set: string;
  name: string;
  codepoints: string;
  category: string;
  svg: string;
}

/**
 * Every emoji of every set, sorted by emoji and set; the same emoji has the same name and category throughout. Left out:
 * skin-tone variants, OpenMoji's own pictograms ("Extras") and what a package hides as outdated.
 */
export function catalogue(): Drawing[] {
  const drawings = mergeIdentical(Object.entries(SETS).flatMap(([set, { load }]) => iconsOf(set, load()))).flatMap(
    (icons) => {
      const emoji = icons[0]?.name;
      const category = commonest(icons.map((icon) => icon.category));
      return emoji ? icons.map(({ set, svg }) => ({ emoji, set, category, svg })) : [];
    },
  );
  const key = ({ emoji, set }: Drawing) => `${emoji} ${set}`;
  return drawings.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function iconsOf(set: string, { icons, metadata, chars }: IconSet): Icon[] {
  const categories = new Map<string, string>();
  for (const [title, names] of Object.entries(metadata.categories ?? {})) {
    // OpenMoji leaves the ampersand out: "Food Drink".
    const category = title.replace(/^(Animals|Food|People|Smileys|Travel) (?=\w)/, "$1 & ");
    if (!title.startsWith("Extras")) for (const name of names) categories.set(name, category);
  }
  return Object.entries(chars ?? {}).flatMap(([character, name]) => {
    const icon = icons.icons[name];
    const category = categories.get(name);
    const points = character.split("-");
    const skinTone = points.some((point) => /^1f3f[b-f]$/.test(point));
    if (!icon || !category || skinTone || NOT_DRAWABLE.has(`${set} ${name}`)) return [];
    const left = icon.left ?? icons.left ?? 0;
    const top = icon.top ?? icons.top ?? 0;
    const width = icon.width ?? icons.width ?? 16;
    const height = icon.height ?? icons.height ?? 16;
    const svg =
      `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="32" height="32" ` +
      `viewBox="${left} ${top} ${width} ${height}">${icon.body}</svg>`;
    // The variation selector fe0f asks for a colour picture; some sets write it, others do not.
    return [{ set, name, category, svg, codepoints: points.filter((point) => point !== "fe0f").join("-") }];
  });
}

/** Groups icons that share code points or a name, directly or through others. */
function mergeIdentical(icons: Icon[]): Icon[][] {
  const groups = new Map<string, Icon[]>();
  for (const icon of icons) {
    const keys = [`point ${icon.codepoints}`, `name ${icon.name}`];
    const found = new Set(keys.flatMap((key) => groups.get(key) ?? []));
    const group = [...found, icon];
    for (const member of group) {
      groups.set(`point ${member.codepoints}`, group);
      groups.set(`name ${member.name}`, group);
    }
  }
  return [...new Set(groups.values())];
}

/** The sets disagree on a few emoji (crab: animal or food); the majority decides, ties by the alphabet. */
function commonest(words: string[]): string {
  const counts = new Map<string, number>();
  for (const word of words.sort()) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best))[0];
}

/** A number within 0..1 that follows from the seed and the words alone, evenly spread. */
export function seededHash(seed: number, ...words: string[]): number {
  const digest = createHash("sha256")
    .update(JSON.stringify([seed, ...words]))
    .digest();
  return digest.readUInt32BE(0) / 2 ** 32;
}

/**
 * What decides the side of the split: near twins (`man-running`, `woman-running`, `person-running-facing-right`) share
 * it. With one of them in each half the test would measure memory.
 */
export function splitKey(emoji: string): string {
  const words = emoji.split("-").filter((word) => !/^(wo)?m[ae]n$|^person$|^people$|^boy$|^girl$|^child$/.test(word));
  return words.join("-").replace(/-facing-right$/, "");
}
