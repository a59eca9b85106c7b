"""Writes test/golden/layers/parts.json. Run from the repository's root: /usr/bin/python3 scripts/golden/layers_parts.py"""

import torch
from torch import nn

from layers import layer, write


class SqueezeExcitation(nn.Module):
    """torchvision's."""

    def __init__(self, channels, squeezed, scale=nn.Sigmoid):
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)
        self.activation = nn.ReLU()
        self.scale_activation = scale()

    def forward(self, x):
        return self.scale_activation(self.fc2(self.activation(self.fc1(self.avgpool(x))))) * x


def state(m, x, *rest):
    return m(x, rest if isinstance(m, nn.LSTMCell) else rest[0])


cases = {}
for name, make in {"LSTMCell": nn.LSTMCell, "GRUCell": nn.GRUCell, "RNNCell": nn.RNNCell}.items():
    cells = 2 if name == "LSTMCell" else 1
    cases |= {
        name: layer(lambda: make(3, 5), [(2, 3)]),
        f"{name} with a state": layer(lambda: make(3, 4), [(3, 3)] + [(3, 4)] * cells, state),
        f"{name} of one": layer(lambda: make(3, 4, bias=False), [(3,)] + [(4,)] * cells, state),
    }
cases |= {
    "RNNCell relu": layer(lambda: nn.RNNCell(3, 4, nonlinearity="relu"), [(2, 3)]),
    "Bilinear": layer(lambda: nn.Bilinear(3, 4, 5), [(2, 3), (2, 4)]),
    "Bilinear of more dimensions": layer(lambda: nn.Bilinear(3, 2, 1, bias=False), [(2, 3, 3), (2, 3, 2)]),
    "SqueezeExcitation": layer(lambda: SqueezeExcitation(4, 2), [(2, 4, 3, 3)]),
    "SqueezeExcitation hard": layer(lambda: SqueezeExcitation(4, 2, nn.Hardsigmoid), [(1, 4, 2, 3)]),
    "Unflatten": layer(lambda: nn.Unflatten(1, (2, -1)), [(3, 6, 2)]),
}
write("parts", cases)
