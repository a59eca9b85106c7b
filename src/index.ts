// The whole browser-safe public API of wgrad.

export * from "./core.ts";
export * as data from "./data/index.ts";
export { init } from "./init.ts";
export type { TensorMethods } from "./methods.ts";
export * as nn from "./nn/index.ts";
export * as optim from "./optim/index.ts";
export * as vision from "./vision/index.ts";
