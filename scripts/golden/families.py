"""Writes test/golden/families.json: what torchvision's models are and compute, from weights by a formula.

For each model: the number of parameters, a digest of the names and shapes of its state dict, the logits of two pictures in
evaluation, and the norms of the gradients of all parameters in training. Numbers are those of bench/peers/formula.py.
Needs torchvision 0.14 (Debian: apt install python3-torchvision). Models that torchvision lacks are those of transformers.py. Run from the
repository's root: /usr/bin/python3 scripts/golden/families.py [NAME...]; with names, only their entries are written anew.
"""

import hashlib
import json
import os
import sys

import torch
from torchvision import models
from torchvision.models.vision_transformer import _vision_transformer
from torchvision.ops import StochasticDepth

import transformers

root = os.path.join(os.path.dirname(__file__), "..", "..")
sys.path.insert(0, os.path.join(root, "bench", "peers"))
from formula import parameter, uniform  # noqa: E402

SIZE = 64
NAMES = """densenet121 densenet161 densenet169 densenet201 mobilenet_v2 resnet101 resnet152 resnext50_32x4d resnext101_32x8d
shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0 squeezenet1_0 squeezenet1_1
vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn wide_resnet50_2 wide_resnet101_2""".split()


def number(x):
    return float(f"{x:.7g}")
# Of transformers with many blocks the first two stand for all.
SHALLOW = {"image_size": 64, "depth": 2}
# Options of the models that have an image size: what is left out is as the name says.
OPTIONS = {
    **{name: {"image_size": 64} for name in transformers.builders},
    **{name: SHALLOW for name in transformers.builders if "large" in name or "base_" in name or name.endswith("base")},
    "deit_tiny_patch16_224": {},
    "vit_b_16": SHALLOW,
    "vit_b_32": SHALLOW,
    "vit_l_16": SHALLOW,
    "vit_l_32": SHALLOW,
    "vit_h_14": {"image_size": 56, "depth": 2},
    "swin_t": {},
    "swin_s": {},
    "swin_b": {},
}
# Hidden features, heads and patch of torchvision's, whose builders take no depth.
VITS = {
    "vit_b_16": (768, 12, 16),
    "vit_b_32": (768, 12, 32),
    "vit_l_16": (1024, 16, 16),
    "vit_l_32": (1024, 16, 32),
    "vit_h_14": (1280, 16, 14),
}
# Larger than most, so that there are windows that shift.
SIZES = {"swin_t": 72, "swin_s": 64, "swin_b": 64}


def size_of(name):
    return SIZES.get(name) or OPTIONS.get(name, {}).get("image_size") or (224 if name in OPTIONS else SIZE)


def build(name):
    options = OPTIONS.get(name, {})
    if name in transformers.builders:
        return transformers.builders[name](num_classes=10, **options)
    if name in VITS:
        hidden, heads, patch = VITS[name]
        return _vision_transformer(
            patch, options["depth"], heads, hidden, 4 * hidden, None, False, image_size=options["image_size"], num_classes=10
        )
    return getattr(models, name)(num_classes=10)


def camel(key):
    first, *rest = key.split("_")
    return first + "".join(word.capitalize() for word in rest)


path = os.path.join(root, "test", "golden", "families.json")
wanted = sys.argv[1:] or [*NAMES, *OPTIONS]
if sys.argv[1:]:
    with open(path) as f:
        out = json.load(f)
else:
    out = {}
for name in wanted:
    model = build(name)
    for module in model.modules():
        if isinstance(module, (torch.nn.Dropout, StochasticDepth)):
            module.p = 0.0
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
    y = model(x.double())
    # Two results: what they are trained for differs, so that their gradients do.
    results = y if isinstance(y, tuple) else (y,)
    seeds = [torch.from_numpy(uniform((2, 10), 1001 + i)).double() for i in range(len(results))]
    torch.autograd.backward(results, seeds)
    trained = [(key, p) for key, p in model.named_parameters() if p.requires_grad]
    step = 1 if name in OPTIONS else max(1, len(state) // 12)
    out[name] = {
        "parameters": sum(p.numel() for p in model.parameters()),
        "state": hashlib.sha256(json.dumps(state, separators=(",", ":")).encode()).hexdigest(),
        **({"size": size} if size != SIZE else {}),
        **({"options": {camel(k): v for k, v in OPTIONS[name].items()}} if OPTIONS.get(name) else {}),
        "logits": [number(v) for v in logits.reshape(-1).tolist()],
        "training": [number(v) for t in results for v in t.detach().reshape(-1).tolist()],
        "gradients": {key: number(p.grad.norm().item()) for key, p in trained[::step]},
    }
    print(name, out[name]["parameters"], out[name]["logits"][:2], flush=True)
with open(path, "w") as f:
    f.write("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in out.items()) + "\n}\n")
