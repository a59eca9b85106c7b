// Variants of the matrix kernels that were measured to be faster than the first of their list: written by `npm run tune`.

/** Name of a variant by kind and class of shapes. */
export type DefaultVariants = Readonly<Record<string, string>>;

/** By the adapter's architecture (or vendor) and its subgroup size. */
export const defaultVariants: Readonly<Record<string, DefaultVariants>> = {};
