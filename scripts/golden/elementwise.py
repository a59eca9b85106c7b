"""Golden vectors of elementwise functions and their derivatives in float64:
python3 scripts/golden/elementwise.py > test/golden/elementwise.json

Needs PyTorch (Debian: python3-torch). The points include the corners of piecewise functions.
"""
import json
import math

import torch
import torch.nn.functional as F

GRID = [-2.75, -1.5, -0.5, -0.25, 0.0, 0.375, 1.0, 1.75, 2.5]
POSITIVE = [0.125, 0.25, 0.5, 1.0, 1.75, 2.5, 4.0]
WIDE = [-6.5, -3.5, -3.0, -1.25, 0.0, 0.5, 3.0, 3.5, 6.0, 6.5]

# name in the table, scalars, function, points
UNARY = [
    ("abs", [], torch.abs, GRID),
    ("affine", [2.5, -0.75], lambda x: x * 2.5 - 0.75, GRID),
    ("ceil", [], torch.ceil, GRID),
    ("celu", [0.75], lambda x: F.celu(x, 0.75), GRID),
    ("clamp", [-0.5, 1.0], lambda x: x.clamp(-0.5, 1.0), GRID),
    ("cos", [], torch.cos, GRID),
    ("divScalar", [-1.75], lambda x: x / -1.75, GRID),
    ("elu", [0.75], lambda x: F.elu(x, 0.75), GRID),
    ("erf", [], torch.special.erf, GRID + [-4.0, 0.001, 3.5]),
    ("exp", [], torch.exp, GRID),
    ("floor", [], torch.floor, GRID),
    ("gelu", [], F.gelu, WIDE),
    ("geluTanh", [], lambda x: F.gelu(x, approximate="tanh"), WIDE),
    ("hardsigmoid", [], F.hardsigmoid, WIDE),
    ("hardswish", [], F.hardswish, WIDE),
    ("hardtanh", [-0.5, 1.0], lambda x: F.hardtanh(x, -0.5, 1.0), GRID),
    ("leakyRelu", [0.125], lambda x: F.leaky_relu(x, 0.125), GRID),
    ("log", [], torch.log, POSITIVE),
    ("logSigmoid", [], F.logsigmoid, WIDE),
    ("maximumScalar", [0.375], lambda x: torch.maximum(x, torch.tensor(0.375, dtype=x.dtype)), GRID),
    ("minimumScalar", [0.375], lambda x: torch.minimum(x, torch.tensor(0.375, dtype=x.dtype)), GRID),
    ("mish", [], F.mish, WIDE),
    ("powScalar", [3.0], lambda x: x**3.0, GRID),
    ("powScalar", [4.0], lambda x: x**4.0, GRID),
    ("powScalar", [1.0], lambda x: x**1.0, GRID),
    ("powScalar", [0.0], lambda x: x**0.0, GRID),
    ("powScalar", [1.5], lambda x: x**1.5, POSITIVE + [0.0]),
    ("powScalar", [-1.25], lambda x: x**-1.25, POSITIVE),
    ("reciprocal", [], torch.reciprocal, POSITIVE),
    ("relu", [], F.relu, GRID),
    ("relu6", [], F.relu6, WIDE),
    ("round", [], torch.round, GRID + [0.5]),
    ("rsqrt", [], torch.rsqrt, POSITIVE),
    ("selu", [], F.selu, GRID),
    ("sigmoid", [], torch.sigmoid, WIDE),
    ("sign", [], torch.sign, GRID),
    ("silu", [], F.silu, WIDE),
    ("sin", [], torch.sin, GRID),
    ("smoothL1", [0.5], lambda x: F.smooth_l1_loss(x, torch.zeros_like(x), reduction="none", beta=0.5), GRID),
    ("softplus", [1.0, 20.0], F.softplus, WIDE + [-12.0, 19.0, 21.0]),
    ("softplus", [2.0, 4.0], lambda x: F.softplus(x, 2.0, 4.0), WIDE),
    ("softsign", [], F.softsign, WIDE),
    ("sqrt", [], torch.sqrt, POSITIVE),
    ("square", [], torch.square, GRID),
    ("threshold", [0.375, -2.0], lambda x: F.threshold(x, 0.375, -2.0), GRID),
    ("tanh", [], torch.tanh, GRID),
]
PAIRS = [(0.5, 0.5), (1.5, -0.25), (2.0, 3.0), (0.75, 1.25), (1.25, 1.25), (2.5, 0.0)]
BINARY = [
    ("add", torch.add), ("div", torch.div), ("maximum", torch.maximum), ("minimum", torch.minimum),
    ("mul", torch.mul), ("pow", torch.pow), ("sub", torch.sub),
]

unary = []
for name, scalars, f, points in UNARY:
    x = torch.tensor(points, dtype=torch.float64, requires_grad=True)
    y = f(x)
    (dx,) = torch.autograd.grad(y.sum(), x)
    assert all(math.isfinite(v) for v in y.tolist() + dx.tolist()), name
    if name == "hardsigmoid":  # PyTorch 1.13 multiplies by the f32 value of 1 / 6
        dx = torch.where(dx == 0, dx, torch.full_like(dx, 1 / 6))
    unary.append({"name": name, "scalars": scalars, "x": points, "y": y.tolist(), "dx": dx.tolist()})
binary = []
for name, f in BINARY:
    a = torch.tensor([p[0] for p in PAIRS], dtype=torch.float64, requires_grad=True)
    b = torch.tensor([p[1] + (3 if name == "div" else 0) for p in PAIRS], dtype=torch.float64, requires_grad=True)
    y = f(a, b)
    da, db = torch.autograd.grad(y.sum(), [a, b])
    binary.append({"name": name, "a": a.tolist(), "b": b.tolist(), "y": y.tolist(), "da": da.tolist(), "db": db.tolist()})
print(json.dumps({"unary": unary, "binary": binary}))
