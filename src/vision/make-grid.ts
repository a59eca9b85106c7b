// Many pictures as one, for looking at: a grid of rows.
import { noGrad } from "../autograd/mode.ts";
import { checkTensor } from "../autograd/run.ts";
import { check, checkNumber, checkOptions, checkWhole, told, ValueError } from "../errors.ts";
import { clamp, div, maximum, sub } from "../ops/arithmetic.ts";
import { cat, stack } from "../ops/cat.ts";
import { pad, permute } from "../ops/movement.ts";
import { max, min } from "../ops/reduce.ts";
import { reshape, unsqueeze } from "../ops/view.ts";
import { full } from "../tensor/create.ts";
import { checkDtype } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** What `makeGrid` takes beside the pictures. */
export interface GridOptions {
  /** Pictures in each row. Default 8. */
  nrow?: number;
  /** Pixels between pictures and around them. Default 2. */
  padding?: number;
  /** Shift f32 pictures to [0, 1] by their smallest and largest value. Default false. */
  normalize?: boolean;
  /** The values that become 0 and 1 with `normalize`. Default: the smallest and largest there are. */
  valueRange?: readonly [least: number, most: number];
  /** With `normalize`, each picture by its own smallest and largest value. Default false: by those of all. */
  scaleEach?: boolean;
  /** The value of the pixels between. Default 0. */
  padValue?: number;
}

/**
 * A grid of pictures: of a batch [N, C, H, W], a list of [C, H, W], or one [C, H, W] or [H, W], which gets no frame. Pictures of
 * one channel become three. Returns [C, height, width], outside the graph.
 *
 * @throws ShapeError, DtypeError, ValueError
 * @see https://pytorch.org/vision/stable/generated/torchvision.utils.make_grid.html
 */
export function makeGrid(images: Tensor | readonly Tensor[], options: GridOptions = {}): Tensor {
  checkOptions("makeGrid", options, ["nrow", "padding", "normalize", "valueRange", "scaleEach", "padValue"]);
  const { nrow = 8, padding = 2, normalize = false, valueRange, scaleEach = false, padValue = 0 } = options;
  checkWhole("makeGrid", "nrow", nrow, 1);
  checkWhole("makeGrid", "padding", padding, 0, 2 ** 15);
  checkNumber("makeGrid", "padValue", padValue);
  check(
    valueRange === undefined ||
      (Array.isArray(valueRange) && valueRange.length === 2 && Array.from(valueRange).every(Number.isFinite)),
    () => `[makeGrid] valueRange must be two numbers, got ${told(valueRange)}`,
    ValueError,
  );
  return noGrad(() =>
    scope(() => {
      let x = batchOf(images);
      if (x.shape[1] === 1) x = cat([x, x, x], 1);
      if (normalize) x = normalized(x, valueRange, scaleEach);
      const [n = 0, channels = 0] = x.shape;
      if (n === 1) return reshape(x, x.shape.slice(1)).detach();
      const columns = Math.min(nrow, n);
      const rows = Math.ceil(n / columns);
      // Each picture with what is above and to the left of it, then blank ones up to full rows.
      const framed = pad(x, [padding, 0, padding, 0], padValue);
      const [, , height = 0, width = 0] = framed.shape;
      const { dtype, device } = x;
      const blanks = rows * columns - n;
      const blank = blanks > 0 ? [full([blanks, channels, height, width], padValue, { dtype, device })] : [];
      const cells = reshape(blanks > 0 ? cat([framed, ...blank]) : framed, [rows, columns, channels, height, width]);
      const joined = reshape(permute(cells, [2, 0, 3, 1, 4]), [channels, rows * height, columns * width]);
      return pad(joined, [0, padding, 0, padding], padValue);
    }),
  );
}

function batchOf(images: Tensor | readonly Tensor[]): Tensor {
  if (Array.isArray(images)) return batchOf(stack(images));
  checkTensor("makeGrid", "images", images);
  const x = images as Tensor;
  checkDtype("makeGrid", "images", x.dtype, "f32", "i32", "u32");
  check(
    x.ndim >= 2 && x.ndim <= 4 && x.numel > 0,
    () => `[makeGrid] pictures have shape [N, C, H, W], [C, H, W] or [H, W], got ${show(x.shape)}`,
  );
  return x.ndim === 4 ? x : batchOf(unsqueeze(x, 0));
}

function normalized(x: Tensor, range: readonly [number, number] | undefined, each: boolean): Tensor {
  checkDtype("makeGrid", "images to normalize", x.dtype, "f32");
  if (range) {
    const [least, most] = range;
    return div(sub(clamp(x, { min: least, max: most }), least), Math.max(most - least, 1e-5));
  }
  const dims = each ? [1, 2, 3] : [0, 1, 2, 3];
  const low = min(x, dims, { keepdim: true });
  return div(sub(x, low), maximum(sub(max(x, dims, { keepdim: true }), low), 1e-5));
}
