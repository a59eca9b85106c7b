"""Writes test/golden/families.json: what torchvision's models are and compute, from weights by a formula.

For each model: the number of parameters, a digest of the names and shapes of its state dict, the logits of two pictures in
evaluation and in training, and the norms of the gradients in training: of all parameters in their order, or, in the entries of
older models, of some by name. Dropout and stochastic depth are off. Numbers are those of bench/peers/formula.py.
Needs torchvision 0.14 (Debian: apt install python3-torchvision). Run from the repository's root:
/usr/bin/python3 scripts/golden/families.py [NAMES]
With names it writes their entries alone, and leaves the others as they are.
"""

import hashlib
import json
import math
import os
import re
import sys

import torch
from torchvision import models
from torchvision.ops import StochasticDepth

root = os.path.join(os.path.dirname(__file__), "..", "..")
sys.path.insert(0, os.path.join(root, "bench", "peers"))
from formula import parameter, uniform  # noqa: E402

SIZE = 64
NAMES = """convnext_base convnext_large convnext_small convnext_tiny densenet121 densenet161 densenet169 densenet201
efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 efficientnet_b4 efficientnet_b5 efficientnet_b6 efficientnet_b7
efficientnet_v2_l efficientnet_v2_m efficientnet_v2_s mobilenet_v2 mobilenet_v3_large mobilenet_v3_small
resnet101 resnet152 resnext50_32x4d resnext101_32x8d
shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0 squeezenet1_0 squeezenet1_1
vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn wide_resnet50_2 wide_resnet101_2""".split()
# Models with options, as wgrad spells them. At this size maps are even and odd, which TensorFlow pads differently.
ODD = 75
VARIANTS = {
    "efficientnet_b0 tensorflow": {"padding": "tensorflow"},
    "mobilenet_v2 tensorflow": {"padding": "tensorflow"},
    "mobilenet_v3_large dilated": {"dilated": True, "reducedTail": True, "widthMult": 0.75},
    "mobilenet_v3_small tensorflow": {"padding": "tensorflow"},
}


# With running variances of 1 these grow to thousands in evaluation, where f32 has no correct digit left: theirs are this.
VARIANCE = 4
GROWING = "efficientnet_v2"


def number(x):
    return float(f"{x:.7g}")


def short(x):
    """A norm, which is compared with a tolerance of two percent."""
    return float(f"{x:.5g}")


def snake(name):
    return re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)


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


def entry(name):
    options = VARIANTS.get(name, {})
    given = {snake(key): value for key, value in options.items() if key != "padding"}
    model = getattr(models, name.split()[0])(num_classes=10, **given)
    defaults = defaults_of(model)
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
            p.copy_(torch.from_numpy(parameter(key, tuple(p.shape), i + 1)))
    size = ODD if options else SIZE
    x = torch.from_numpy(uniform((2, 3, size, size), 1000))
    with torch.no_grad():
        logits = model.double().eval()(x.double())
    # In training batch norm keeps the gradients of deep models in range, where the model has it.
    model.train()
    y = model(x.double())
    y.backward(torch.from_numpy(uniform((2, 10), 1001)).double())
    return {
        **({"size": size, "options": options} if options else {}),
        **({"variance": VARIANCE} if name.startswith(GROWING) else {}),
        "defaults": defaults,
        "parameters": sum(p.numel() for p in model.parameters()),
        "state": hashlib.sha256(json.dumps(state, separators=(",", ":")).encode()).hexdigest(),
        "logits": [number(v) for v in logits.reshape(-1).tolist()],
        "training": [number(v) for v in y.detach().reshape(-1).tolist()],
        "gradients": [short(p.grad.norm().item()) for p in model.parameters()],
    }


path = os.path.join(root, "test", "golden", "families.json")
out = {}
if sys.argv[1:]:
    with open(path) as f:
        out = json.load(f)
order = [*NAMES, *VARIANTS]
for name in sys.argv[1:] or order:
    out[name] = entry(name)
    print(name, out[name]["parameters"], out[name]["logits"][:2], flush=True)
with open(path, "w") as f:
    f.write("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(out.items(), key=lambda item: order.index(item[0]))) + "\n}\n")
