// One small model of each kind as an ONNX file; `npm run test:models` has all of them.
import { describe } from "vitest";
import { withDevice } from "../support/case.ts";
import { testExport } from "./families.ts";

withDevice();

describe("ONNX Runtime gives the library's logits", () => {
  for (const name of [
    "lenet5",
    "resnet18",
    "densenet121",
    "mobilenet_v2",
    "shufflenet_v2_x0_5",
    "squeezenet1_1",
  ] as const)
    testExport(name);
});
