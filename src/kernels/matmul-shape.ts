// What a matrix product is: sizes, batches and strides, without a word of how it is computed.

/** Strides, in elements, of a row, a column, and a matrix by the outer and the inner level of the batch. */
export type MatrixStrides = readonly [row: number, column: number, outer: number, inner: number];

export interface MatmulShape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly outer: number;
  readonly inner: number;
  readonly a: MatrixStrides;
  readonly b: MatrixStrides;
  readonly c: MatrixStrides;
  /** Where a, b and c begin in their buffers, in elements. Default: at the start. */
  readonly offset?: readonly [a: number, b: number, c: number, 0];
}
