// Names that published weights have from earlier versions of torchvision, which renames them when it loads.

/** Each finds an old name; the replacement is today's. Source: torchvision/models/densenet.py and vision_transformer.py. */
const RENAMED: readonly (readonly [RegExp, string])[] = [
  [/(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)/, "$1$2"],
  [/(\.mlp)\.linear_1\./, "$1.0."],
  [/(\.mlp)\.linear_2\./, "$1.3."],
];

/** A dict with today's names for old ones that the model, which has the names `known`, does not know. */
export function withoutLegacyNames<T>(
  dict: Readonly<Record<string, T>>,
  known: ReadonlySet<string>,
): Record<string, T> {
  return Object.fromEntries(
    Object.entries(dict).map(([name, value]) => {
      if (known.has(name)) return [name, value];
      const now = RENAMED.map(([old, replacement]) => name.replace(old, replacement)).find(
        (renamed) => renamed !== name && known.has(renamed) && !Object.hasOwn(dict, renamed),
      );
      return [now ?? name, value];
    }),
  );
}
