// `wgrad/mini`: the public API without methods of tensors. Operations are functions, `add(x, y)`, so that a bundle holds those that
// a program imports. Layers, optimizers, data and transforms come from `wgrad/nn`, `wgrad/optim`, `wgrad/data` and `wgrad/vision`.

export { backward } from "./backward/backward.ts";
export { registerHook, retainGrad } from "./backward/hooks.ts";
export * from "./core.ts";
export { openDevice as init } from "./gpu/device.ts";
export * from "./nn/functional.ts";
export { abs, type Bounds, clamp, eq, ge, gt, le, lt, ne, neg, type Operand, square } from "./ops/arithmetic.ts";
export { to } from "./ops/cast.ts";
export { chunk, split } from "./ops/cat.ts";
export { clone } from "./ops/clone.ts";
export { ceil, cos, erf, exp, floor, log, reciprocal, round, rsqrt, sign, sin, sqrt } from "./ops/elementwise.ts";
export { gather, indexSelect } from "./ops/gather.ts";
export { add_, copy_, div_, fill_, mul_, sub_, zero_ } from "./ops/inplace.ts";
export { matmul } from "./ops/matmul.ts";
export { flip, narrow, permute, select, slice, t, transpose } from "./ops/movement.ts";
export { all, any, type Dims, expand, max, mean, min, norm, std, sum, variance } from "./ops/reduce.ts";
export { argmax, argmin, topk } from "./ops/topk.ts";
export { flatten, reshape, squeeze, unsqueeze } from "./ops/view.ts";
export { print } from "./tensor/format.ts";
