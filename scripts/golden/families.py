"""Writes test/golden/families.json: what torchvision's models are and compute, from weights by a formula.

For each model: the number of parameters, a digest of the names and shapes of its state dict, the logits of two pictures in
evaluation, and in training all logits (of auxiliary heads, too) and the norms of the gradients: of all parameters in their order,
or of some by name. Dropout and stochastic depth are off. Numbers are those of bench/peers/formula.py. Models that
torchvision lacks are written out in files beside this one.
Needs torchvision 0.14 (Debian: apt install python3-torchvision). Run from the repository's root:
/usr/bin/python3 scripts/golden/families.py [NAME ...], which writes the entries of these names alone, without names all.
"""

import hashlib
import json
import math
import os
import re
import sys
import warnings

import torch
from torchvision import models
from torchvision.models.vision_transformer import _vision_transformer
from torchvision.ops import StochasticDepth

root = os.path.join(os.path.dirname(__file__), "..", "..")
sys.path.insert(0, os.path.join(root, "bench", "peers"))
import transformers  # noqa: E402
from formula import parameter, uniform  # noqa: E402
from inception_resnet_v2 import inception_resnet_v2  # noqa: E402

warnings.simplefilter("ignore", FutureWarning)  # of how torchvision may initialise its models one day
BUILDERS = {**transformers.builders, "inception_resnet_v2": inception_resnet_v2}
# Those of whose parameters only some gradients are kept.
SOME = ("densenet", "mobilenet_v2", "moco_v3_resnet50", "res", "shufflenet", "squeezenet", "vgg", "wide_resnet")
NAMES = """convnext_base convnext_large convnext_small convnext_tiny densenet121 densenet161 densenet169 densenet201
efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 efficientnet_b4 efficientnet_b5 efficientnet_b6 efficientnet_b7
efficientnet_v2_l efficientnet_v2_m efficientnet_v2_s googlenet inception_resnet_v2 inception_v3
mobilenet_v2 mobilenet_v3_large mobilenet_v3_small resnet101 resnet152 resnext50_32x4d resnext101_32x8d resnext101_64x4d
shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0 squeezenet1_0 squeezenet1_1
vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn wide_resnet50_2 wide_resnet101_2
swin_t swin_s swin_b vit_b_16 vit_b_32 vit_l_16 vit_l_32 vit_h_14""".split() + list(transformers.builders)

# Of transformers with many blocks the first two stand for all.
SHALLOW = {"imageSize": 64, "depth": 2}
DEEP = re.compile("large|base$|base_")
# Options as wgrad spells them. A name may say more than the model's: what comes behind a space tells its options.
OPTIONS = {
    **{name: SHALLOW if DEEP.search(name) else {"imageSize": 64} for name in transformers.builders},
    "deit_tiny_patch16_224": {},
    "moco_v3_resnet50": {},
    **{name: SHALLOW for name in ("vit_b_16", "vit_b_32", "vit_l_16", "vit_l_32")},
    "vit_h_14": {"imageSize": 56, "depth": 2},
    "googlenet": {"transformInput": True},
    "efficientnet_b0 tensorflow": {"padding": "tensorflow"},
    "mobilenet_v2 tensorflow": {"padding": "tensorflow"},
    "mobilenet_v3_large dilated": {"dilated": True, "reducedTail": True, "widthMult": 0.75},
    "mobilenet_v3_small tensorflow": {"padding": "tensorflow"},
}
NAMES += [name for name in OPTIONS if " " in name]
# Pixels of a side. At 75 maps are even and odd, which TensorFlow pads differently; the others leave each norm more than two
# numbers, the auxiliary head of Inception v3 its map, and Swin windows that shift.
SIZE = 64
SIZES = {"deit_tiny_patch16_224": 224, "inception_resnet_v2": 107, "inception_v3": 299, "swin_t": 72}
# Hidden features, heads and patch of torchvision's transformers, whose builders take no depth.
VITS = {
    "vit_b_16": (768, 12, 16),
    "vit_b_32": (768, 12, 32),
    "vit_l_16": (1024, 16, 16),
    "vit_l_32": (1024, 16, 32),
    "vit_h_14": (1280, 16, 14),
}
# With running variances of 1 these grow to thousands in evaluation, where f32 has no correct digit left: theirs are this.
VARIANCE = 4
GROWING = "efficientnet_v2"


def size_of(name):
    return SIZES.get(name) or OPTIONS.get(name, {}).get("imageSize") or (75 if " " in name else SIZE)


def number(x):
    return float(f"{x:.7g}")


def short(x):
    """A norm, which is compared with a tolerance of two percent."""
    return float(f"{x:.5g}")


def snake(name):
    return re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)


def build(name):
    options = {snake(key): value for key, value in OPTIONS.get(name, {}).items() if key != "padding"}
    if name in VITS:
        hidden, heads, patch = VITS[name]
        size, depth = options["image_size"], options["depth"]
        return _vision_transformer(patch, depth, heads, hidden, 4 * hidden, None, False, image_size=size, num_classes=10)
    return (BUILDERS.get(name) or getattr(models, name.split()[0]))(num_classes=10, **options)


def pad_as_tensorflow(module, inputs):
    """TensorFlow's "SAME": as many zeros as ceil(size / stride) windows need, the odd one last."""
    sides = []
    for size, kernel, stride in zip(reversed(inputs[0].shape[2:]), reversed(module.kernel_size), reversed(module.stride)):
        total = max(0, (math.ceil(size / stride) - 1) * stride + kernel - size)
        sides += [total // 2, total - total // 2]
    return torch.nn.functional.pad(inputs[0], sides)


def defaults_of(model):
    """What weights do not show: probabilities of layers in their order, and each eps (and momentum) that norms have."""
    found = {"dropout": [], "stochasticDepth": [], "norms": []}
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            found["dropout"].append(number(module.p))
        elif isinstance(module, StochasticDepth):
            found["stochasticDepth"].append(number(module.p))
        elif isinstance(module, (torch.nn.BatchNorm2d, torch.nn.LayerNorm)):
            norm = [module.eps, getattr(module, "momentum", 0)]
            if norm not in found["norms"]:
                found["norms"].append(norm)
    return found


def heads(y):
    """Logits of all heads, one below the other; of GoogLeNet those of aux1 before those of aux2."""
    # torchvision 0.14 calls them by each other's names: `aux_logits2` is what aux1 makes.
    return torch.cat(list(y)) if isinstance(y, tuple) else y


def entry(name):
    options = OPTIONS.get(name, {})
    model = build(name)
    # Of convolutional networks.
    defaults = defaults_of(model) if name.startswith(("convnext", "efficientnet", "mobilenet_v")) and name != "mobilenet_v2" else None
    for module in model.modules():
        if isinstance(module, (torch.nn.Dropout, StochasticDepth)):
            module.p = 0.0
        elif isinstance(module, torch.nn.BatchNorm2d) and name.startswith(GROWING):
            module.running_var.fill_(VARIANCE)
        elif isinstance(module, torch.nn.Conv2d) and max(module.stride) > 1 and "padding" in options:
            module.padding = (0, 0)
            module.register_forward_pre_hook(pad_as_tensorflow)
    state = [[key, list(value.shape)] for key, value in model.state_dict().items()]
    with torch.no_grad():
        for i, (key, p) in enumerate(model.named_parameters()):
            # What is fixed by a formula of its own stays.
            if key != "pos_embed" or p.requires_grad:
                p.copy_(torch.from_numpy(parameter(key, tuple(p.shape), i + 1)))
    size = size_of(name)
    x = torch.from_numpy(uniform((2, 3, size, size), 1000))
    with torch.no_grad():
        logits = model.double().eval()(x.double())
    # In training batch norm keeps the gradients of deep models in range, where the model has it.
    model.train()
    y = heads(model(x.double()))
    y.backward(torch.from_numpy(uniform(tuple(y.shape), 1001)).double())
    every = max(1, len(state) // 12) if name.startswith(SOME) else 1
    trained = [(key, p) for key, p in model.named_parameters() if p.requires_grad]
    gradients = {key: short(p.grad.norm().item()) for key, p in trained[::every]}
    whole = len(gradients) == len(list(model.parameters()))
    return {
        **({"size": size} if size != SIZE else {}),
        **({"options": options} if options else {}),
        **({"variance": VARIANCE} if name.startswith(GROWING) else {}),
        **({"defaults": defaults} if defaults else {}),
        "parameters": sum(p.numel() for p in model.parameters()),
        "state": hashlib.sha256(json.dumps(state, separators=(",", ":")).encode()).hexdigest(),
        "logits": [number(v) for v in logits.reshape(-1).tolist()],
        "training": [number(v) for v in y.detach().reshape(-1).tolist()],
        "gradients": list(gradients.values()) if whole else gradients,
    }


path = os.path.join(root, "test", "golden", "families.json")
with open(path) as f:
    out = json.load(f)
chosen = sys.argv[1:] or NAMES
assert set(chosen) <= set(NAMES), f"names are {NAMES}"
for name in chosen:
    out[name] = entry(name)
    print(name, out[name]["parameters"], out[name]["logits"][:2], flush=True)
with open(path, "w") as f:
    f.write("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(out[k])}" for k in NAMES if k in out) + "\n}\n")
