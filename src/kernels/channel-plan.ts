// Plan of kernels that walk [N, C, P] by channel (batch norm): lanes, elements an access, one dispatch or two.
import type { DeviceInfo } from "../gpu/device.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import { WG } from "./wgsl/batch-norm.wgsl";

export interface ChannelPlan {
  readonly channels: number;
  /** Elements of a channel. */
  readonly size: number;
  /** Elements an access: whole vectors stay inside a plane. */
  readonly width: 1 | 4;
  /** Workgroups along the channels. */
  readonly groups: number;
  /** Workgroups that share a channel. 1: statistics and their use fit in one dispatch. */
  readonly chunks: number;
  /** What lib/channels.wgsl wants in `Params`, in vectors of `width`. */
  readonly params: Readonly<
    Record<
      "channels" | "plane" | "count" | "chunk" | "chunks" | "lanes" | "log_lanes" | "step_at" | "step_in" | "carry",
      number
    >
  >;
}

/**
 * How to walk a tensor of this shape. A software adapter has few cores, pays about 2000 cycles to start eight
 * invocations, and keeps a channel in its cache: few workgroups, each with whole channels. A GPU wants many.
 */
export function planChannels(shape: Shape, { isSoftware }: Pick<DeviceInfo, "isSoftware">): ChannelPlan {
  const [images = 1, channels = 1] = shape;
  const area = sizeOf(shape.slice(2));
  const width = area % 4 === 0 && area > 0 ? 4 : 1;
  const plane = area / width;
  const count = images * plane;
  const enough = isSoftware ? 8 : 512;
  const perLane = isSoftware ? 32 : 4;
  let lanes = 1;
  while (lanes < WG && (lanes * perLane < count || (channels * lanes < enough * WG && lanes < count))) lanes *= 2;
  const groups = Math.ceil((channels * lanes) / WG);
  const wanted = Math.min(Math.ceil(enough / Math.max(groups, 1)), Math.ceil(count / (lanes * perLane)));
  const chunk = Math.max(1, Math.ceil(count / Math.max(1, wanted)));
  const chunks = Math.max(1, Math.ceil(count / chunk));
  // A step of `lanes` elements is whole images and a rest.
  const stepped = Math.floor(lanes / Math.max(plane, 1));
  const step_in = lanes - stepped * plane;
  const step_at = stepped * channels * plane + step_in;
  const log_lanes = Math.log2(lanes);
  const carry = (channels - 1) * plane;
  return {
    channels,
    size: images * area,
    width,
    groups,
    chunks,
    params: { channels, plane, count, chunk, chunks, lanes, log_lanes, step_at, step_in, carry },
  };
}
