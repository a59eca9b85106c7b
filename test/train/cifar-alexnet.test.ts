// Steps of the CIFAR AlexNet follow PyTorch's losses, frozen and released.
import { test } from "vitest";
import { cifarAlexnet } from "wgrad";
import { withDevice } from "../support/case.ts";
import { follow } from "./follow.ts";

withDevice();

test("captured", () => follow("cifarAlexnet", cifarAlexnet({ numClasses: 10, dropout: 0 }), "classifier.6", true));
