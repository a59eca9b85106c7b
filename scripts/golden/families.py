"""Writes test/golden/families.json: what torchvision's models are and compute, from weights by a formula.

For each model: the number of parameters, a digest of the names and shapes of its state dict, the logits of two pictures in
evaluation, and in training all logits (of auxiliary heads, too) and the norms of the gradients of parameters. Numbers are those
of bench/peers/formula.py. Models that torchvision lacks are written out in files beside this one.
Needs torchvision 0.14 (Debian: apt install python3-torchvision). Run from the repository's root:
/usr/bin/python3 scripts/golden/families.py [NAME ...], which writes the entries of these names alone, without names all.
"""

import hashlib
import json
import os
import sys
import warnings

import torch
from torchvision import models

root = os.path.join(os.path.dirname(__file__), "..", "..")
sys.path.insert(0, os.path.join(root, "bench", "peers"))
from formula import parameter, uniform  # noqa: E402
from inception_resnet_v2 import inception_resnet_v2  # noqa: E402

warnings.simplefilter("ignore", FutureWarning)  # of how torchvision may initialise its models one day
# Pixels of a side: what leaves each norm more than two numbers, and what the auxiliary head of Inception v3 takes.
SIZE = 64
SIZES = {"inception_resnet_v2": 107, "inception_v3": 299}
OTHERS = {"inception_resnet_v2": inception_resnet_v2}
OPTIONS = {"googlenet": {"transform_input": True}}
# Those of whose parameters only some gradients are kept.
SOME = ("densenet", "mobilenet_v2", "res", "shufflenet", "squeezenet", "vgg", "wide_resnet")
NAMES = """densenet121 densenet161 densenet169 densenet201 googlenet inception_resnet_v2 inception_v3 mobilenet_v2 resnet101 resnet152 resnext50_32x4d resnext101_32x8d
shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0 squeezenet1_0 squeezenet1_1
vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn wide_resnet50_2 wide_resnet101_2""".split()


def number(x):
    return float(f"{x:.7g}")


def heads(y):
    """Logits of all heads, one below the other; of GoogLeNet those of aux1 before those of aux2."""
    # torchvision 0.14 calls them by each other's names: `aux_logits2` is what aux1 makes.
    return torch.cat(list(y)) if isinstance(y, tuple) else y


def entry(name):
    model = (OTHERS.get(name) or getattr(models, name))(num_classes=10, **OPTIONS.get(name, {}))
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    state = [[key, list(value.shape)] for key, value in model.state_dict().items()]
    with torch.no_grad():
        for i, (key, p) in enumerate(model.named_parameters()):
            p.copy_(torch.from_numpy(parameter(key, tuple(p.shape), i + 1)))
    size = SIZES.get(name, SIZE)
    x = torch.from_numpy(uniform((2, 3, size, size), 1000))
    with torch.no_grad():
        logits = model.double().eval()(x.double())
    # In training batch norm keeps the gradients of deep models in range, where the model has it.
    model.train()
    y = heads(model(x.double()))
    y.backward(torch.from_numpy(uniform(tuple(y.shape), 1001)).double())
    every = max(1, len(state) // 12) if name.startswith(SOME) else 1
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "state": hashlib.sha256(json.dumps(state, separators=(",", ":")).encode()).hexdigest(),
        **({"size": size} if size != SIZE else {}),
        "logits": [number(v) for v in logits.reshape(-1).tolist()],
        "training": [number(v) for v in y.detach().reshape(-1).tolist()],
        "gradients": {key: number(p.grad.norm().item()) for key, p in list(model.named_parameters())[::every]},
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
