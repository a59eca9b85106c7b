// npm run test:models: adaptToSmallImages on every model, transformers with one block.
import { listModels } from "wgrad";
import { withDevice } from "../support/case.ts";
import { chosen } from "./chosen.ts";
import { testSmallImages } from "./small-images-case.ts";

withDevice();

for (const name of chosen(listModels())) testSmallImages(name, /vit|deit|beit/.test(name) ? { depth: 1 } : {});
