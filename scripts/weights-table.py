"""Writes src/vision/models/weights/: what torchvision says of its published ImageNet weights, one file for each family of models.

Usage: python3 scripts/weights-table.py && npx biome check --write src/vision/models/weights
Needs torchvision (0.14 wrote what is there).
"""
import json
import math
import pathlib

import torchvision
from torchvision import models

FOLDER = pathlib.Path(__file__).parent.parent / "src/vision/models/weights"

FAMILIES = {
    "alexnet": ["alexnet"],
    "convnext": ["convnext_tiny", "convnext_small", "convnext_base", "convnext_large"],
    "densenet": ["densenet121", "densenet161", "densenet169", "densenet201"],
    "efficientnet": [f"efficientnet_b{i}" for i in range(8)] + [f"efficientnet_v2_{size}" for size in "sml"],
    "inception": ["googlenet", "inception_v3"],
    "mobilenet": ["mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small"],
    "resnet": [
        *[f"resnet{layers}" for layers in (18, 34, 50, 101, 152)],
        *["resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2"],
    ],
    "shufflenet": [f"shufflenet_v2_x{width}" for width in ("0_5", "1_0", "1_5", "2_0")],
    "squeezenet": ["squeezenet1_0", "squeezenet1_1"],
    "swin": ["swin_t", "swin_s", "swin_b"],
    "vgg": [f"vgg{layers}{norm}" for layers in (11, 13, 16, 19) for norm in ("", "_bn")],
    "vit": ["vit_b_16", "vit_b_32", "vit_l_16", "vit_l_32", "vit_h_14"],
}

# torchvision publishes the first digits of the sha256 alone, in the names of the files. Of these files several independent
# records have all digits, and the size.
WHOLE = {
    "resnet18-f37072fd.pth": ("f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec", 46_830_571),
    "resnet34-b627a593.pth": ("b627a593bcbe140c234610266fe4f8ae95ea42fc881d091c9b6052e6b1d0590f", 87_319_819),
    "alexnet-owt-7be5be79.pth": ("7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02", 244_408_911),
}

# What torchvision's own functions set where they load weights.
OPTIONS = {name: {"transformInput": True, "initWeights": False} for name in ("googlenet", "inception_v3")}

# torchvision names a licence where it is another than that of all its weights.
LICENSE = "https://github.com/pytorch/vision#pre-trained-model-license"


def entry(name, weights):
    keywords = weights.transforms.keywords
    meta = weights.meta
    metrics = meta["_metrics"]["ImageNet-1K"]
    sha256, size = WHOLE.get(weights.url.split("/")[-1], (None, None))
    transforms = {
        "cropSize": keywords["crop_size"],
        "resizeSize": keywords.get("resize_size", 256),
        "interpolation": keywords["interpolation"].value if "interpolation" in keywords else "bilinear",
        "mean": list(keywords["mean"]) if "mean" in keywords else None,
        "std": list(keywords["std"]) if "std" in keywords else None,
    }
    side, other = meta["min_size"]
    assert side == other
    options = OPTIONS.get(name)
    # Transformers have position embeddings for pictures of one size.
    if name.startswith("vit") and side != 224:
        options = {"imageSize": side}
    fields = {
        "url": weights.url,
        "sha256": sha256,
        "size": size,
        "parameters": meta["num_params"],
        "top1": metrics["acc@1"],
        "top5": metrics["acc@5"],
        "minSize": side,
        "transforms": {key: value for key, value in transforms.items() if value is not None},
        "license": meta.get("license", LICENSE),
        "options": options,
    }
    return {key: value for key, value in fields.items() if value is not None}


def source(family, names):
    lines = [
        f"// Written by scripts/weights-table.py from torchvision {torchvision.__version__.split('+')[0]}.",
        'import type { WeightsEntry } from "../weights-entry.ts";',
        "",
    ]
    table = []
    for name in names:
        enum = models.get_model_weights(name)
        # Weights that classify nothing (VGG-16's for SSD) have no accuracy.
        published = [w for w in enum if not math.isnan(w.meta["_metrics"]["ImageNet-1K"]["acc@1"])]
        rows = []
        for weights in published:
            constant = f"{name}_{weights.name}"
            lines.append(f"const {constant}: WeightsEntry = {json.dumps(entry(name, weights))};")
            rows.append(f"{weights.name}: {constant}")
        rows.append(f"DEFAULT: {name}_{enum.DEFAULT.name}")
        table.append(f"  {name}: {{ {', '.join(rows)} }},")
    lines += [
        "",
        f"/** torchvision's published ImageNet weights by model and name. @see https://pytorch.org/vision/stable/models.html */",
        f"export const {family}Weights = {{",
        *table,
        "} as const;",
    ]
    return "\n".join(lines) + "\n"


def main():
    FOLDER.mkdir(exist_ok=True)
    for family, names in FAMILIES.items():
        (FOLDER / f"{family}.ts").write_text(source(family, names))
    imports = [f'import {{ {family}Weights }} from "./{family}.ts";' for family in FAMILIES]
    (FOLDER / "table.ts").write_text(
        "\n".join(
            [
                "// Written by scripts/weights-table.py: all families' weights together.",
                *imports,
                "",
                "/**",
                " * torchvision's published ImageNet weights by model and name: `modelWeights.resnet50.IMAGENET1K_V2`. A program that knows its",
                " * model takes its family's instead (`resnetWeights`), and carries no other.",
                " * @see https://pytorch.org/vision/stable/models.html",
                " */",
                "export const modelWeights = {",
                *[f"  ...{family}Weights," for family in FAMILIES],
                "} as const;",
            ]
        )
        + "\n"
    )
    categories = models.ResNet18_Weights.DEFAULT.meta["categories"]
    for names in FAMILIES.values():
        for name in names:
            assert models.get_model_weights(name).DEFAULT.meta["categories"] == categories
    (FOLDER / "categories.ts").write_text(
        "// Written by scripts/weights-table.py: ImageNet's names.\n\n"
        "/** The names of ImageNet's 1000 classes, in the order of the logits of all weights in `modelWeights`. */\n"
        f"export const IMAGENET_CATEGORIES: readonly string[] = {json.dumps(categories)};\n"
    )


main()
