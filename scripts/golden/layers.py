"""What the golden files of layers and functions have in common: numbers by a formula, and what PyTorch makes of them.

A family is a file beside this one, such as layers_recurrent.py, that calls `write` with its cases. test/support/golden-layers.ts
repeats the formula, so that a file holds results alone. Needs torch 1.13 (Debian: apt install python3-torch).
"""

import json
import math
import os

import torch

OUT = os.path.join(os.path.dirname(__file__), "..", "..", "test", "golden", "layers")


def wave(shape, k, scale=1.0):
    """Element i of tensor k: sin(0.7 i + 1.3 k + 0.5) scale, as f32 and then in f64."""
    n = math.prod(shape)
    data = [math.sin(0.7 * i + 1.3 * k + 0.5) * scale for i in range(n)]
    return torch.tensor(data, dtype=torch.float32).double().reshape(list(shape))


def numbers(t):
    def number(x):
        return x if isinstance(x, int) else (float(f"{x:.9g}") if math.isfinite(x) else str(x).replace("inf", "Infinity"))

    return {"shape": list(t.shape), "data": [number(x) for x in t.detach().reshape(-1).tolist()]}


def tensors(value):
    if isinstance(value, torch.Tensor):
        return [value]
    return [t for item in value for t in tensors(item)] if isinstance(value, (list, tuple)) else []


def layer(make, inputs, call=None, train=True):
    """Of a module whose parameters are waves 100, 101, ... of scale 0.5 in the order of its state dict. `inputs`: shapes (waves
    0, 1, ...) or tensors, those of floats requiring a gradient. Output j's gradient is wave 200 + j."""
    module = make().double()
    module.train(train)
    with torch.no_grad():
        for k, (_, p) in enumerate(module.named_parameters()):
            p.copy_(wave(p.shape, 100 + k, 0.5))
    return function(lambda *xs: call(module, *xs) if call else module(*xs), inputs, dict(module.named_parameters()))


def function(f, inputs, parameters=None):
    """Of a function of tensors; as `layer`."""
    given = [x if isinstance(x, torch.Tensor) else wave(x, k) for k, x in enumerate(inputs)]
    given = [x.detach().clone().requires_grad_() if x.is_floating_point() else x for x in given]
    outputs = tensors(f(*given))
    floats = [y for y in outputs if y.requires_grad]
    if floats:
        torch.autograd.backward(floats, [wave(y.shape, 200 + j) for j, y in enumerate(outputs) if y.requires_grad])
    grads = {f"input{k}": x.grad for k, x in enumerate(given)} | {n: p.grad for n, p in (parameters or {}).items()}
    return {
        "outputs": [numbers(y) for y in outputs],
        "grads": {name: numbers(g) for name, g in grads.items() if g is not None},
    }


def write(family, cases):
    os.makedirs(OUT, exist_ok=True)
    with open(os.path.join(OUT, family + ".json"), "w") as file:
        lines = [f"{json.dumps(name)}: {json.dumps(case)}" for name, case in cases.items()]
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
