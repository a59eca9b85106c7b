"""Writes test/golden/transforms.json: torchvision's functional transforms on a small picture, in float64.

Needs torchvision 0.14 (Debian: apt install python3-torchvision).
Run from the repository's root: /usr/bin/python3 scripts/golden/transforms.py
"""

import json
import os
import warnings

import torch
import torchvision.transforms.functional as F

warnings.simplefilter("ignore")
OUT = os.path.join(os.path.dirname(__file__), "..", "..", "test", "golden", "transforms.json")

torch.manual_seed(1)
image = (torch.rand(3, 6, 7, dtype=torch.float64) * 255).round()
# Corners of the colour conversions: black, white, gray, full and half-full colours.
special = [[0, 0, 0], [255, 255, 255], [90, 90, 90], [255, 0, 0], [0, 255, 0], [0, 0, 255], [200, 200, 10], [10, 77, 77]]
for i, pixel in enumerate(special):
    image[:, i % 6, i // 6] = torch.tensor(pixel, dtype=torch.float64)
image = image / 255
gray = image[1:2]

ADJUST = [F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue]


def jitter(x, order, factors):
    for i in order:
        x = ADJUST[i](x, factors[i])
    return x


cases = []


def case(name, args, result):
    values = [float(f"{v:.9g}") for v in result.flatten().tolist()]
    cases.append({"name": name, "args": args, "shape": list(result.shape), "data": values})


for i, factors in enumerate([[0.8, 1.15, 1.7], [0.3, 0.83, 1.2], [0.0, 0.8, 1.19], [-0.5, -0.07, 0.1, 0.43]]):
    for factor in factors:
        case("adjust", {"kind": i, "factor": factor}, ADJUST[i](image, factor))
for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]]:
    factors = [1.18, 0.83, 1.12, -0.08]
    case("jitter", {"order": order, "factors": factors}, jitter(image, order, factors))
case("jitterGray", {"order": [1, 3, 0, 2], "factors": [1.1, 0.8, 1.2, 0.1]}, jitter(gray, [1, 3, 0, 2], [1.1, 0.8, 1.2, 0.1]))
for angle in [0, 10, -14.3, 37.5, 75, 180]:
    case("rotate", {"angle": angle}, F.rotate(image, angle))
for top, left in [(0, 0), (3, 1), (4, 4)]:
    case("crop", {"top": top, "left": left, "size": [6, 7], "padding": 2}, F.crop(F.pad(image, [2]), top, left, 6, 7))
for size in [(3, 4), (4, 7), (1, 2)]:
    case("centerCrop", {"size": size}, F.center_crop(image, list(size)))
case("hflip", {}, F.hflip(image))
for size in [[11, 5], [3, 9], [4]]:
    case("resize", {"size": size if len(size) == 2 else size[0]}, F.resize(image, size, antialias=False))
mean, std = [0.4914, 0.4822, 0.4465], [0.247, 0.2435, 0.2616]
case("normalize", {"mean": mean, "std": std}, F.normalize(image, mean, std))

with open(OUT, "w") as file:
    json.dump({"image": [round(v * 255) for v in image.flatten().tolist()], "shape": [3, 6, 7], "cases": cases}, file, separators=(",", ":"))
    file.write("\n")
