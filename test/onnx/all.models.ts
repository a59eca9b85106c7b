// npm run test:models: every model family as an ONNX file, run by ONNX Runtime.
import { describe } from "vitest";
import { chosen } from "../models/chosen.ts";
import { withDevice } from "../support/case.ts";
import { names, testExport } from "./families.ts";

withDevice();

describe("ONNX Runtime gives the library's logits", () => {
  for (const name of chosen(names)) testExport(name);
});
