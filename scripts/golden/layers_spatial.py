"""Writes test/golden/layers/spatial.json. Run from the repository's root: /usr/bin/python3 scripts/golden/layers_spatial.py"""

import torch
from torch import nn
from torch.nn import functional as F

from layers import function, layer, wave, write

cases = {
    "LocalResponseNorm": layer(lambda: nn.LocalResponseNorm(3, alpha=0.5, beta=0.6, k=0.8), [(2, 5, 3, 2)]),
    "LocalResponseNorm of an even size, wider than the channels": layer(
        lambda: nn.LocalResponseNorm(6, alpha=2.0), [(1, 4, 3)]
    ),
    "localResponseNorm by default": function(lambda x: F.local_response_norm(x, 5), [(2, 7, 2, 1, 2)]),
    "PixelShuffle": layer(lambda: nn.PixelShuffle(2), [(2, 8, 2, 3)]),
    "pixelShuffle without a batch": function(lambda x: F.pixel_shuffle(x, 3), [(9, 1, 2)]),
    "PixelUnshuffle": layer(lambda: nn.PixelUnshuffle(2), [(1, 2, 4, 6)]),
    "pixelUnshuffle of more dimensions": function(lambda x: F.pixel_unshuffle(x, 2), [(2, 1, 1, 2, 4)]),
}


# Of version 1.13 its gradient is not there: by what its page says.
def channel_shuffle(x, groups):
    n, c, *rest = x.shape
    return x.reshape(n, groups, c // groups, *rest).transpose(1, 2).reshape(x.shape)


assert torch.equal(channel_shuffle(wave((2, 6, 2, 2), 0), 3), nn.ChannelShuffle(3)(wave((2, 6, 2, 2), 0)))
cases["ChannelShuffle"] = function(lambda x: channel_shuffle(x, 3), [(2, 6, 2, 2)])

for align in (False, True):
    corners = "corners aligned" if align else "edges aligned"
    for padding in ("zeros", "border", "reflection"):
        for mode in ("bilinear", "nearest"):
            cases[f"gridSample {mode}, {padding}, {corners}"] = function(
                lambda x, grid, align=align, padding=padding, mode=mode: F.grid_sample(x, grid, mode, padding, align),
                [(2, 5, 4, 3), wave((2, 3, 5, 2), 1, 1.7)],
            )
    cases[f"affineGrid, {corners}"] = function(
        lambda theta, align=align: F.affine_grid(theta, (2, 1, 3, 4), align), [(2, 2, 3)]
    )
    cases[f"affineGrid of volumes, {corners}"] = function(
        lambda theta, align=align: F.affine_grid(theta, (1, 1, 2, 1, 3), align), [(1, 3, 4)]
    )
cases["gridSample of many points"] = function(
    lambda x, theta: F.grid_sample(x, F.affine_grid(theta, (1, 1, 12, 11), False), align_corners=False),
    [(1, 1, 6, 7), wave((1, 2, 3), 1)],
)
cases["gridSample of no images"] = function(
    lambda x, grid: F.grid_sample(x, grid, align_corners=False), [(0, 2, 3, 3), (0, 2, 2, 2)]
)
write("spatial", cases)
