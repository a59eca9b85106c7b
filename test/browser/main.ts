// The page of `npm run test:browser`.
import "../ops/non-finite.test.ts";
import "../ops/tensor-ops.test.ts";
import "../golden/op-db.test.ts";
import "../layers/activations.test.ts";
import "../layers/attention.test.ts";
import "../layers/convolution.test.ts";
import "../layers/losses.test.ts";
import "../layers/norms.test.ts";
import "../layers/parts.test.ts";
import "../layers/recurrent.test.ts";
import "../layers/resampling.test.ts";
import "../layers/spatial.test.ts";
import "../layers/utils.test.ts";
import "../train/resnet18.test.ts";
import "./large.ts";
import { run } from "./vitest.ts";

await run();
