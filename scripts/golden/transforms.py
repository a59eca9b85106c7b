"""Writes test/golden/transforms.json: torchvision's functional transforms on small pictures, in float64; what it does with
8-bit pictures, through Pillow, in whole levels.

Needs torchvision 0.14 with Pillow (Debian: apt install python3-torchvision).
Run from the repository's root: /usr/bin/python3 scripts/golden/transforms.py
"""

import json
import os
import warnings

import numpy
import torch
import torchvision.transforms as T
import torchvision.transforms.functional as F
from PIL import Image
from torchvision.transforms.autoaugment import _apply_op

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
for size in [(3, 4), (4, 7), (1, 2), (9, 4), (8, 10), (6, 12)]:
    case("centerCrop", {"size": size}, F.center_crop(image, list(size)))
case("hflip", {}, F.hflip(image))
for size in [[11, 5], [3, 9], [4]]:
    case("resize", {"size": size if len(size) == 2 else size[0]}, F.resize(image, size, antialias=False))
MODES = {mode.value: mode for mode in T.InterpolationMode}
for mode in ["bilinear", "bicubic", "nearest"]:
    for size in [[11, 5], [3, 9], [4], [2, 2], [1, 1], [6, 7], [8, 9]]:
        args = {"size": size if len(size) == 2 else size[0], "interpolation": mode, "antialias": True}
        case("resample", args, F.resize(image, size, MODES[mode], antialias=True if mode != "nearest" else None))
        if mode == "bicubic":
            case("resample", {**args, "antialias": False}, F.resize(image, size, MODES[mode], antialias=False))
for mode in ["bilinear", "bicubic"]:
    window = [1, 2, 4, 3]
    args = {"window": window, "size": [3, 5], "interpolation": mode, "antialias": True}
    case("resizedCrop", args, F.resized_crop(image, *window, [3, 5], MODES[mode], antialias=True))
for padding in [[2, 1], [1, 2, 3, 4]]:
    for mode in ["constant", "edge", "reflect", "symmetric"]:
        case("pad", {"padding": padding, "mode": mode, "fill": 0.4}, F.pad(image, padding, 0.4, mode))
case("vflip", {}, F.vflip(image))
for mode in ["nearest", "bilinear"]:
    fill = [0.2, 0.5, 0.7]
    for angle, center in [(10, None), (-37.5, [2.0, 3.5]), (80, None)]:
        args = {"angle": angle, "bilinear": mode == "bilinear", "fill": fill, "center": center}
        case("turn", args, F.rotate(image, angle, MODES[mode], center=center, fill=fill))
    for angle, shift, scale, shear in [(10, [1, -2], 1.3, [0, 0]), (-30, [0, 1], 0.8, [12, -7]), (0, [0, 0], 1, [33, 0])]:
        args = {"angle": angle, "shift": shift, "scale": scale, "shear": shear, "bilinear": mode == "bilinear", "fill": fill}
        case("affine", args, F.affine(image, angle, shift, scale, shear, MODES[mode], fill))
case("gray", {"channels": 1}, F.rgb_to_grayscale(image, 1))
case("gray", {"channels": 3}, F.rgb_to_grayscale(image, 3))
for size, sigma in [([3, 3], 0.8), ([5, 7], 1.7), ([1, 1], 0.5)]:
    # torchvision takes the width first.
    case("blur", {"size": size, "sigma": sigma}, F.gaussian_blur(image, size[::-1], [sigma, sigma]))

# RandAugment's operations at a share of their greatest strength; those for 8 bits on these.
BILINEAR = T.InterpolationMode.BILINEAR
OPERATIONS = [
    ("Identity", 0), ("ShearX", 0.3), ("ShearY", 0.3), ("TranslateX", 150 / 331 * 7), ("TranslateY", 150 / 331 * 6),
    ("Rotate", 30), ("Brightness", 0.9), ("Color", 0.9), ("Contrast", 0.9), ("Sharpness", 0.9), ("Posterize", 4),
    ("Solarize", 1), ("AutoContrast", 0), ("Equalize", 0),
]
for i, (name, most) in enumerate(OPERATIONS):
    for strength in [0.3, -0.7, 1]:
        x, magnitude = image, strength * most
        if name in ["Posterize", "Solarize"]:
            if strength < 0:
                continue
            magnitude = 8 - round(magnitude) if name == "Posterize" else 1 - strength
        if name in ["Posterize", "Equalize"]:
            x = (image * 255).round().to(torch.uint8)
        y = _apply_op(x, name, magnitude, BILINEAR, None)
        case("augment", {"operation": i, "strength": strength}, y if y.is_floating_point() else y.double() / 255)
# Many pixels of few levels, so that equalize has something to spread.
wide = (torch.rand(3, 40, 50) ** 2 * 23).to(torch.uint8) * 9
hues = [wide[c].flatten().bincount(minlength=256).tolist() for c in range(3)]
spread = F.equalize(wide)
tables = [[int(spread[c][wide[c] == v][0]) if hues[c][v] else -1 for v in range(256)] for c in range(3)]
equalized = {"histograms": hues, "tables": tables}

# Pillow's pictures. Kept in whole levels.
picture = (torch.rand(3, 23, 37) * 256).to(torch.uint8)
# Smooth in a part, hard edges in another.
picture[:, :, :14] = (torch.linspace(0, 255, 14)[None, None] * torch.rand(3, 23, 1)).to(torch.uint8)
picture[:, 5:9, 20:30] = 255
picture[:, 9:14, 20:30] = 0
pillow = Image.fromarray(picture.permute(1, 2, 0).numpy())


def levels_of(image):
    return numpy.asarray(image).transpose(2, 0, 1).flatten().tolist()


levels = []
for mode in ["bilinear", "bicubic", "nearest"]:
    for size in [[9], [11, 14], [23, 12], [7, 37], [1, 1]] + ([[30, 40]] if mode == "bicubic" else []):
        result = F.resize(pillow, size, MODES[mode])
        # What torchvision calls nearest takes Pillow's middle here.
        interpolation = "nearest-exact" if mode == "nearest" else mode
        args = {"size": size if len(size) == 2 else size[0], "interpolation": interpolation, "antialias": True}
        levels.append({"args": args, "shape": [3, result.height, result.width], "data": levels_of(result)})
recipe = T.Compose([T.Resize(16), T.CenterCrop(14), T.ToTensor(), T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
evaluated = [float(f"{v:.7g}") for v in recipe(pillow).flatten().tolist()]
sizes = []
for size, most in [(9, None), (9, 12), (9, 13), (9, 14), (9, 15), (30, 40), (5, 8)]:
    for height, width in [(23, 37), (37, 23), (20, 20), (7, 50)]:
        result = F.resize(torch.zeros(1, height, width), [size], max_size=most, antialias=False)
        sizes.append([size, most, height, width, *result.shape[1:]])
mean, std = [0.4914, 0.4822, 0.4465], [0.247, 0.2435, 0.2616]
case("normalize", {"mean": mean, "std": std}, F.normalize(image, mean, std))

golden = {"image": [round(v * 255) for v in image.flatten().tolist()], "shape": [3, 6, 7], "cases": cases}
golden["picture"] = picture.flatten().tolist()
golden["pictureShape"] = [3, 23, 37]
golden["levels"] = levels
golden["evaluated"] = evaluated
golden["sizes"] = sizes
golden["equalized"] = equalized
with open(OUT, "w") as file:
    json.dump(golden, file, separators=(",", ":"))
    file.write("\n")
