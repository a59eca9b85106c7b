"""Writes test/golden/layers/norms.json. Run from the repository's root: /usr/bin/python3 scripts/golden/layers_norms.py"""

import torch
from torch import nn

from layers import function, layer, write


class RMSNorm(nn.Module):
    """PyTorch's of later versions."""

    def __init__(self, shape, eps=2**-23):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape))
        self.eps = eps

    def forward(self, x):
        dims = tuple(range(-self.weight.ndim, 0))
        return x * (x.square().mean(dims, keepdim=True) + self.eps).rsqrt() * self.weight


class LayerNorm2d(nn.LayerNorm):
    """torchvision's."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def running(m, x):
    m(x.detach() * 2)
    return m(x), m.running_mean.clone(), m.running_var.clone()


def evaluated(m, x):
    m(x.detach() * 2)
    return m.eval()(x)


cases = {}
for name, make, shape in [
    ("BatchNorm1d", nn.BatchNorm1d, (4, 3)),
    ("BatchNorm1d of sequences", nn.BatchNorm1d, (3, 3, 5)),
    ("BatchNorm3d", nn.BatchNorm3d, (2, 3, 2, 3, 2)),
    ("InstanceNorm1d with statistics", lambda n: nn.InstanceNorm1d(n, affine=True, track_running_stats=True), (2, 3, 5)),
    ("InstanceNorm2d with statistics", lambda n: nn.InstanceNorm2d(n, track_running_stats=True), (3, 3, 2, 4)),
]:
    cases |= {
        name: layer(lambda: make(3), [shape], running),
        f"{name}, evaluated": layer(lambda: make(3), [shape], evaluated),
    }
cases |= {
    "BatchNorm1d without anything": layer(
        lambda: nn.BatchNorm1d(3, affine=False, track_running_stats=False), [(5, 3)], train=False
    ),
    "GroupNorm": layer(lambda: nn.GroupNorm(2, 6), [(3, 6, 5, 3)]),
    "GroupNorm of vectors": layer(lambda: nn.GroupNorm(3, 6, eps=0.1), [(4, 6)]),
    "GroupNorm of one group": layer(lambda: nn.GroupNorm(1, 5), [(2, 5, 13)]),
    "GroupNorm of each channel, five dimensions": layer(lambda: nn.GroupNorm(3, 3), [(2, 3, 2, 3, 2)]),
    "GroupNorm without parameters": layer(lambda: nn.GroupNorm(2, 4, affine=False), [(2, 4, 7)]),
    "GroupNorm of long rows": layer(lambda: nn.GroupNorm(2, 4), [(1, 4, 9, 30)]),
    "InstanceNorm1d": layer(lambda: nn.InstanceNorm1d(3, affine=True), [(2, 3, 5)]),
    "InstanceNorm2d": layer(lambda: nn.InstanceNorm2d(3), [(2, 3, 3, 3)]),
    "InstanceNorm2d of one image": layer(lambda: nn.InstanceNorm2d(3, affine=True), [(3, 4, 3)]),
    "LayerNorm2d": layer(lambda: LayerNorm2d(5), [(2, 5, 3, 4)]),
    "LayerNorm2d of one position": layer(lambda: LayerNorm2d(7, eps=1e-2), [(3, 7, 1, 1)]),
    "RMSNorm": layer(lambda: RMSNorm((7,)), [(3, 2, 7)]),
    "RMSNorm of two dimensions": layer(lambda: RMSNorm((5, 14), 0.01), [(3, 5, 14)]),
    "rmsNorm without a weight": function(lambda x: x * (x.square().mean(-1, keepdim=True) + 2**-23).rsqrt(), [(2, 130)]),
}
write("norms", cases)
