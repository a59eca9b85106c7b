"""Writes test/golden/train.json: losses of ResNet-18 and of the CIFAR AlexNet over steps of training, from PyTorch.

Weights and images come from an integer hash that test/train/deterministic.ts computes too, so that no weights need to be
stored. A frozen phase trains the last layer alone (batch norm in training mode), then everything is released at a lower
rate, as in the fine-tuning recipe. Computed in float64; the script prints how far float32 strays from it.

Needs torch 1.13 and torchvision 0.14 (Debian: apt install python3-torchvision). Run from the repository's root:
/usr/bin/python3 scripts/golden/train.py
"""

import json
import math
import os

import numpy as np
import torch
from torchvision import models

OUT = os.path.join(os.path.dirname(__file__), "..", "..", "test", "golden", "train.json")
BATCH = 8
LR = 1e-3
# Lower than the recipe's 1e-4: on a batch of 8, Adam's first full steps make rounding errors grow by themselves.
RELEASED_LR = 2e-5


def uniform(stream, n):
    """Numbers in [0, 1) from a 32 bit hash of stream and position."""
    with np.errstate(over="ignore"):
        h = np.arange(n, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(stream) * np.uint32(0x85EBCA77)
        for shift, factor in [(16, 0x85EBCA6B), (13, 0xC2B2AE35)]:
            h = (h ^ (h >> np.uint32(shift))) * np.uint32(factor)
        h = h ^ (h >> np.uint32(16))
    return h.astype(np.float64) / 2.0**32


def fill(name, shape, stream):
    n = math.prod(shape)
    u = 2 * uniform(stream, n) - 1
    if len(shape) >= 2:
        u = u * math.sqrt(6 / math.prod(shape[1:]))  # He's variance
    elif name.endswith("weight"):
        u = 1 + 0.1 * u  # batch norm
    else:
        u = 0.1 * u
    return torch.from_numpy(u.astype(np.float32).reshape(shape))


def images(step):
    return torch.from_numpy((4 * uniform(1000 + step, BATCH * 3 * 32 * 32) - 2).astype(np.float32)).reshape(BATCH, 3, 32, 32)


def labels(step):
    return torch.tensor([(3 * step + 7 * i) % 10 for i in range(BATCH)])


def train(make, head, frozen_steps, released_steps, dtype):
    model = make()
    with torch.no_grad():
        for stream, (name, p) in enumerate(model.named_parameters()):
            p.copy_(fill(name, list(p.shape), stream))
    model = model.to(dtype).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=LR, weight_decay=1e-4)
    for name, p in model.named_parameters():
        p.requires_grad = name.startswith(head)
    losses = []
    for step in range(frozen_steps + released_steps):
        if step == frozen_steps:
            for p in model.parameters():
                p.requires_grad = True
            for group in optimizer.param_groups:
                group["lr"] = RELEASED_LR
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(model(images(step).to(dtype)), labels(step))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        logits = model(images(99).to(dtype)[:2])
    return {"losses": losses, "logits": logits.flatten().tolist()}


def resnet18():
    return models.resnet18(num_classes=10)


def cifar_alexnet():
    model = models.alexnet(num_classes=10, dropout=0.0)
    model.features[0] = torch.nn.Conv2d(3, 64, 3, padding=1)
    model.features[2] = torch.nn.MaxPool2d(2)
    return model


out = {"batch": BATCH, "lr": LR, "releasedLr": RELEASED_LR}
for name, make, head, frozen, released in [
    ("resnet18", resnet18, "fc.", 5, 5),
    ("cifarAlexnet", cifar_alexnet, "classifier.6.", 1, 2),
]:
    exact = train(make, head, frozen, released, torch.float64)
    single = train(make, head, frozen, released, torch.float32)
    print(name, [f"{a:.6f}" for a in exact["losses"]])
    print("  float32 strays by", [f"{abs(a / b - 1):.1e}" for a, b in zip(single["losses"], exact["losses"])])
    print("  logits by", max(abs(a - b) for a, b in zip(single["logits"], exact["logits"])), "of", max(map(abs, exact["logits"])))
    out[name] = {"frozen": frozen, "released": released, **exact}
with open(OUT, "w") as f:
    json.dump(out, f)
