// npm run test:models: every model family against torchvision.
import { describe } from "vitest";
import { withDevice } from "../support/case.ts";
import { chosen } from "./chosen.ts";
import { names, testFamily } from "./families.ts";

withDevice();

describe("torchvision's names, logits and gradients", () => {
  for (const name of chosen(names)) testFamily(name);
});
