// The blocks of Inception v3: A keeps 35x35 maps, B halves them, C keeps 17x17, D halves them, E keeps 8x8.
import { Module } from "../../nn/module.ts";
import { AvgPool2d, MaxPool2d } from "../../nn/pooling-layers.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { BasicConv2d, same, sideBySide } from "./inception-parts.ts";

const average = () => new AvgPool2d(3, { stride: 1, padding: 1 });
const halved = () => new MaxPool2d(3, { stride: 2 });

/** 1x1, 5x5, 3x3 twice, and averages: x: [N, inChannels, H, W] to [N, 224 + poolFeatures, H, W]. */
export class InceptionA extends Module {
  readonly branch1x1: BasicConv2d;
  readonly branch5x5_1: BasicConv2d;
  readonly branch5x5_2 = same(48, 64, 5);
  readonly branch3x3dbl_1: BasicConv2d;
  readonly branch3x3dbl_2 = same(64, 96, 3);
  readonly branch3x3dbl_3 = same(96, 96, 3);
  readonly branch_pool: BasicConv2d;
  private readonly average = average();

  constructor(inChannels: number, poolFeatures: number) {
    super();
    this.branch1x1 = same(inChannels, 64, 1);
    this.branch5x5_1 = same(inChannels, 48, 1);
    this.branch3x3dbl_1 = same(inChannels, 64, 1);
    this.branch_pool = same(inChannels, poolFeatures, 1);
  }

  override forward(x: Tensor): Tensor {
    return sideBySide(x, [
      [this.branch1x1],
      [this.branch5x5_1, this.branch5x5_2],
      [this.branch3x3dbl_1, this.branch3x3dbl_2, this.branch3x3dbl_3],
      [this.average, this.branch_pool],
    ]);
  }
}

/** 3x3, 3x3 twice, and maxima: x: [N, inChannels, H, W] to [N, 480 + inChannels, (H - 1) / 2, (W - 1) / 2]. */
export class InceptionB extends Module {
  readonly branch3x3: BasicConv2d;
  readonly branch3x3dbl_1: BasicConv2d;
  readonly branch3x3dbl_2 = same(64, 96, 3);
  readonly branch3x3dbl_3 = new BasicConv2d(96, 96, 3, { stride: 2 });
  private readonly pool = halved();

  constructor(inChannels: number) {
    super();
    this.branch3x3 = new BasicConv2d(inChannels, 384, 3, { stride: 2 });
    this.branch3x3dbl_1 = same(inChannels, 64, 1);
  }

  override forward(x: Tensor): Tensor {
    return sideBySide(x, [
      [this.branch3x3],
      [this.branch3x3dbl_1, this.branch3x3dbl_2, this.branch3x3dbl_3],
      [this.pool],
    ]);
  }
}

/** 1x1, 7x7 and 7x7 twice as rows and columns, and averages: x: [N, inChannels, H, W] to [N, 768, H, W]. */
export class InceptionC extends Module {
  readonly branch1x1: BasicConv2d;
  readonly branch7x7_1: BasicConv2d;
  readonly branch7x7_2: BasicConv2d;
  readonly branch7x7_3: BasicConv2d;
  readonly branch7x7dbl_1: BasicConv2d;
  readonly branch7x7dbl_2: BasicConv2d;
  readonly branch7x7dbl_3: BasicConv2d;
  readonly branch7x7dbl_4: BasicConv2d;
  readonly branch7x7dbl_5: BasicConv2d;
  readonly branch_pool: BasicConv2d;
  private readonly average = average();

  constructor(inChannels: number, channels: number) {
    super();
    this.branch1x1 = same(inChannels, 192, 1);
    this.branch7x7_1 = same(inChannels, channels, 1);
    this.branch7x7_2 = same(channels, channels, [1, 7]);
    this.branch7x7_3 = same(channels, 192, [7, 1]);
    this.branch7x7dbl_1 = same(inChannels, channels, 1);
    this.branch7x7dbl_2 = same(channels, channels, [7, 1]);
    this.branch7x7dbl_3 = same(channels, channels, [1, 7]);
    this.branch7x7dbl_4 = same(channels, channels, [7, 1]);
    this.branch7x7dbl_5 = same(channels, 192, [1, 7]);
    this.branch_pool = same(inChannels, 192, 1);
  }

  override forward(x: Tensor): Tensor {
    const { branch7x7dbl_1, branch7x7dbl_2, branch7x7dbl_3, branch7x7dbl_4, branch7x7dbl_5 } = this;
    return sideBySide(x, [
      [this.branch1x1],
      [this.branch7x7_1, this.branch7x7_2, this.branch7x7_3],
      [branch7x7dbl_1, branch7x7dbl_2, branch7x7dbl_3, branch7x7dbl_4, branch7x7dbl_5],
      [this.average, this.branch_pool],
    ]);
  }
}

/** 3x3, 7x7 and 3x3, and maxima: x: [N, inChannels, H, W] to [N, 512 + inChannels, (H - 1) / 2, (W - 1) / 2]. */
export class InceptionD extends Module {
  readonly branch3x3_1: BasicConv2d;
  readonly branch3x3_2 = new BasicConv2d(192, 320, 3, { stride: 2 });
  readonly branch7x7x3_1: BasicConv2d;
  readonly branch7x7x3_2 = same(192, 192, [1, 7]);
  readonly branch7x7x3_3 = same(192, 192, [7, 1]);
  readonly branch7x7x3_4 = new BasicConv2d(192, 192, 3, { stride: 2 });
  private readonly pool = halved();

  constructor(inChannels: number) {
    super();
    this.branch3x3_1 = same(inChannels, 192, 1);
    this.branch7x7x3_1 = same(inChannels, 192, 1);
  }

  override forward(x: Tensor): Tensor {
    return sideBySide(x, [
      [this.branch3x3_1, this.branch3x3_2],
      [this.branch7x7x3_1, this.branch7x7x3_2, this.branch7x7x3_3, this.branch7x7x3_4],
      [this.pool],
    ]);
  }
}

/** 1x1, 3x3 and 3x3 twice, each fanned out into a row and a column, and averages: x: [N, inChannels, H, W] to [N, 2048, H, W]. */
export class InceptionE extends Module {
  readonly branch1x1: BasicConv2d;
  readonly branch3x3_1: BasicConv2d;
  readonly branch3x3_2a = same(384, 384, [1, 3]);
  readonly branch3x3_2b = same(384, 384, [3, 1]);
  readonly branch3x3dbl_1: BasicConv2d;
  readonly branch3x3dbl_2 = same(448, 384, 3);
  readonly branch3x3dbl_3a = same(384, 384, [1, 3]);
  readonly branch3x3dbl_3b = same(384, 384, [3, 1]);
  readonly branch_pool: BasicConv2d;
  private readonly average = average();

  constructor(inChannels: number) {
    super();
    this.branch1x1 = same(inChannels, 320, 1);
    this.branch3x3_1 = same(inChannels, 384, 1);
    this.branch3x3dbl_1 = same(inChannels, 448, 1);
    this.branch_pool = same(inChannels, 192, 1);
  }

  override forward(x: Tensor): Tensor {
    const fan = (row: BasicConv2d, column: BasicConv2d) => (t: Tensor) => sideBySide(t, [[row], [column]]);
    return sideBySide(x, [
      [this.branch1x1],
      [this.branch3x3_1, fan(this.branch3x3_2a, this.branch3x3_2b)],
      [this.branch3x3dbl_1, this.branch3x3dbl_2, fan(this.branch3x3dbl_3a, this.branch3x3dbl_3b)],
      [this.average, this.branch_pool],
    ]);
  }
}
