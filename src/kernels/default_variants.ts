// Variants of the matrix kernels that were measured to be faster than the first of their list: written by
// `npm run tune -- --again --write`.

/** Name of a variant by kind and class of shapes. */
export type DefaultVariants = Readonly<Record<string, string>>;

/** By class of adapters, see `adapterClass`. */
export const defaultVariants: Readonly<Record<string, DefaultVariants>> = {
  "mesa software 8": {
    "conv 3x3/2,2 8.7.5.2": "subgroup 32x2",
  },
};
