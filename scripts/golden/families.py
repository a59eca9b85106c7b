"""Writes test/golden/families.json: what torchvision's models are and compute, from weights by a formula.

For each model: the number of parameters, a digest of the names and shapes of its state dict, the logits of two pictures in
evaluation, and the norms of the gradients of all parameters in training. Numbers are those of bench/peers/formula.py.
Needs torchvision 0.14 (Debian: apt install python3-torchvision). Run from the repository's root:
/usr/bin/python3 scripts/golden/families.py
"""

import hashlib
import json
import os
import sys

import torch
from torchvision import models

root = os.path.join(os.path.dirname(__file__), "..", "..")
sys.path.insert(0, os.path.join(root, "bench", "peers"))
from formula import parameter, uniform  # noqa: E402

SIZE = 64
NAMES = """densenet121 densenet161 densenet169 densenet201 mobilenet_v2 resnet101 resnet152 resnext50_32x4d resnext101_32x8d
shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0 squeezenet1_0 squeezenet1_1
vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn wide_resnet50_2 wide_resnet101_2""".split()


def number(x):
    return float(f"{x:.7g}")


out = {}
for name in NAMES:
    model = getattr(models, name)(num_classes=10)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    state = [[key, list(value.shape)] for key, value in model.state_dict().items()]
    with torch.no_grad():
        for i, (key, p) in enumerate(model.named_parameters()):
            p.copy_(torch.from_numpy(parameter(key, tuple(p.shape), i + 1)))
    x = torch.from_numpy(uniform((2, 3, SIZE, SIZE), 1000))
    with torch.no_grad():
        logits = model.double().eval()(x.double())
    # In training batch norm keeps the gradients of deep models in range, where the model has it.
    model.train()
    y = model(x.double())
    y.backward(torch.from_numpy(uniform((2, 10), 1001)).double())
    out[name] = {
        "parameters": sum(p.numel() for p in model.parameters()),
        "state": hashlib.sha256(json.dumps(state, separators=(",", ":")).encode()).hexdigest(),
        "logits": [number(v) for v in logits.reshape(-1).tolist()],
        "training": [number(v) for v in y.detach().reshape(-1).tolist()],
        "gradients": {key: number(p.grad.norm().item()) for key, p in list(model.named_parameters())[:: max(1, len(state) // 12)]},
    }
    print(name, out[name]["parameters"], out[name]["logits"][:2], flush=True)
with open(os.path.join(root, "test", "golden", "families.json"), "w") as f:
    f.write("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in out.items()) + "\n}\n")
