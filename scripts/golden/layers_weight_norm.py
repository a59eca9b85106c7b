"""Writes test/golden/layers/weight-norm.json. Run from the repository's root: /usr/bin/python3 scripts/golden/layers_weight_norm.py"""

from torch import nn

from layers import layer, write

norm = nn.utils.weight_norm
write(
    "weight-norm",
    {
        "weightNorm of a convolution": layer(lambda: norm(nn.Conv2d(2, 3, 3, bias=False)), [(1, 2, 4, 4)]),
        "weightNorm of a linear layer": layer(lambda: norm(nn.Linear(3, 4, bias=False)), [(2, 3)]),
        "weightNorm along the inputs": layer(lambda: norm(nn.Linear(3, 4, bias=False), dim=1), [(2, 3)]),
        "weightNorm of all": layer(lambda: norm(nn.Linear(3, 4, bias=False), dim=None), [(2, 3)]),
    },
)
