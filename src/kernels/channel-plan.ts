// Plan of kernels that walk [N, C, P] by channel (batch norm): lanes a channel, elements an access, one dispatch or two.
import { type Shape, sizeOf } from "../tensor/shape.ts";

const WG = 64;

export interface ChannelPlan {
  readonly channels: number;
  /** Elements of a channel. */
  readonly size: number;
  /** Elements an access: whole vectors stay inside a plane. The sizes below count vectors. */
  readonly width: 1 | 4;
  readonly plane: number;
  readonly count: number;
  /** Invocations that share a channel within a workgroup. */
  readonly lanes: number;
  /** Workgroups that share a channel, and what each takes. 1: statistics and their use fit in one dispatch. */
  readonly chunks: number;
  readonly chunk: number;
  /** Workgroups along the channels. */
  readonly groups: number;
}

/**
 * How to walk a tensor of this shape. A software adapter has few cores, pays about 2000 cycles to start eight
 * invocations, and keeps a channel in its cache: few workgroups, each with whole channels. A GPU wants many.
 */
export function planChannels(shape: Shape, software: boolean): ChannelPlan {
  const [images = 1, channels = 1] = shape;
  const area = sizeOf(shape.slice(2));
  const width = area % 4 === 0 && area > 0 ? 4 : 1;
  const plane = area / width;
  const count = images * plane;
  const enough = software ? 8 : 512;
  const perLane = software ? 32 : 4;
  let lanes = 1;
  while (lanes < WG && (lanes * perLane < count || (channels * lanes < enough * WG && lanes < count))) lanes *= 2;
  const groups = Math.ceil((channels * lanes) / WG);
  const wanted = Math.min(Math.ceil(enough / Math.max(groups, 1)), Math.ceil(count / (lanes * perLane)));
  const chunk = Math.max(1, Math.ceil(count / Math.max(1, wanted)));
  return {
    channels,
    size: images * area,
    width,
    plane,
    count,
    lanes,
    chunks: Math.max(1, Math.ceil(count / chunk)),
    chunk,
    groups,
  };
}

/** The words with which the kernels' `Params` begin, up to `step_in`. */
export function channelWords({ channels, plane, count, lanes, chunk }: ChannelPlan, chunks: number): number[] {
  const images = Math.floor(lanes / Math.max(plane, 1));
  const within = lanes - images * plane;
  return [channels, plane, count, chunk, chunks, lanes, Math.log2(lanes), images * channels * plane + within, within];
}
