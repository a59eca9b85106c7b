// Variants of the matrix kernels that were measured to be faster than the first of their list: written by
// `npm run tune -- --again --write`.

/** Name of a variant by kind and class of shapes. */
export type DefaultVariants = Readonly<Record<string, string>>;

/** By class of adapters, see `adapterClass`. */
export const defaultVariants: Readonly<Record<string, DefaultVariants>> = {
  "mesa software 8": {
    "convWeightGradient 3x3/1,1 6.2.5.10q": "subgroup 32x2",
    "convWeightGradient 3x3/1,1 9.8.5.6": "subgroup 16x4",
  },
};
