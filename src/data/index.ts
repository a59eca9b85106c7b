// What is exported as `data`: data sets of any kind, samplers, and the loader that makes batches of them.
export { type Collated, defaultCollate } from "./collate.ts";
export {
  type Collate,
  DataLoader,
  type DataLoaderConstructor,
  type DataLoaderOptions,
  type IterableItems,
} from "./data-loader.ts";
export { type BatchDataset, ConcatDataset, type Dataset, randomSplit, Subset, TensorDataset } from "./dataset.ts";
export type { LoaderState, OrderFacts } from "./epoch-loader.ts";
export { HostTensor, type ToTensor } from "./host-tensor.ts";
export {
  type BatchOrder,
  BatchSampler,
  RandomSampler,
  type Sampler,
  type SeedOptions,
  SequentialSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
} from "./sampler.ts";
