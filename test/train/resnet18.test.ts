// Ten steps of ResNet-18 follow PyTorch's losses, frozen and released, step by step and captured.
import { test } from "vitest";
import { resnet18 } from "wgrad";
import { withDevice } from "../support/case.ts";
import { follow } from "./follow.ts";

withDevice();

test("step by step", () => follow("resnet18", resnet18({ numClasses: 10 }), "fc", false));
test("captured", () => follow("resnet18", resnet18({ numClasses: 10 }), "fc", true));
