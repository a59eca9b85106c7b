// The page of `npm run test:browser`.
import "../ops/non-finite.test.ts";
import "../golden/op-db.test.ts";
import "../train/resnet18.test.ts";
import "./large.ts";
import { run } from "./vitest.ts";

await run();
