"""Writes test/golden/layers/activations.json. Run from the repository's root: /usr/bin/python3 scripts/golden/layers_activations.py"""

import torch
from torch import nn

from layers import function, layer, write

NAN, INF = float("nan"), float("inf")
SPECIAL = torch.tensor([NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 20.5, -20.5, 100.0, -100.0, 0.5, -0.5, 3.0])

cases = {}
for name, make in {
    "CELU": lambda: nn.CELU(0.5),
    "ELU": lambda: nn.ELU(0.5),
    "GELU tanh": lambda: nn.GELU(approximate="tanh"),
    "Hardtanh": lambda: nn.Hardtanh(-2, 1),
    "LogSigmoid": nn.LogSigmoid,
    "Mish": nn.Mish,
    "SELU": nn.SELU,
    "Softplus": lambda: nn.Softplus(2, 5),
    "Softsign": nn.Softsign,
    "Tanhshrink": nn.Tanhshrink,
    "Threshold": lambda: nn.Threshold(0.5, 3),
}.items():
    # PyTorch's own precision: what is masked or rounded to 0 and 1 in f32 is, here.
    special = SPECIAL.clone().requires_grad_()
    y = make()(special)
    y.backward(torch.ones_like(y))
    cases |= {name: layer(make, [(3, 7)]), f"{name} of nothing": layer(make, [(0, 3)])}
    cases[f"{name} of special numbers"] = function(lambda x: (y.detach(), special.grad), [SPECIAL.detach()])
    cases[f"{name} of special numbers"]["grads"] = {}
cases |= {
    "PReLU": layer(nn.PReLU, [(3, 7)]),
    "PReLU by channel": layer(lambda: nn.PReLU(3), [(2, 3, 4, 2)]),
    "PReLU of vectors": layer(lambda: nn.PReLU(5), [(4, 5)]),
    "PReLU of nothing": layer(lambda: nn.PReLU(3), [(0, 3, 2)]),
    "GLU": layer(nn.GLU, [(3, 6)]),
    "GLU along channels": layer(lambda: nn.GLU(1), [(2, 4, 3, 3)]),
    "LogSoftmax": layer(lambda: nn.LogSoftmax(1), [(2, 5, 3)]),
    "Softmin": layer(lambda: nn.Softmin(-1), [(3, 5)]),
    "Softmax2d": layer(nn.Softmax2d, [(2, 4, 3, 2)]),
    "Softmax2d of one image": layer(nn.Softmax2d, [(4, 3, 2)]),
}
write("activations", cases)
