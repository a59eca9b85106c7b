// The names of `optim.swaUtils`: averages of weights, as torch.optim.swa_utils.
export {
  AveragedModel,
  type AveragedModelOptions,
  type BnBatch,
  SWALR,
  type SwaLrOptions,
  updateBn,
} from "./averaged-model.ts";
