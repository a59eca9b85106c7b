"""Writes test/golden/layers/unpooling.json. Run from the repository's root: /usr/bin/python3 scripts/golden/layers_unpooling.py"""

import torch
from torch import nn
from torch.nn import functional as F

from layers import function, layer, wave, write

nan, inf = float("nan"), float("inf")
odd = torch.tensor([1, nan, 2, nan, -inf, -inf, inf, 0, 0, 3, 3, 1], dtype=torch.float64)
conv_modes = ("reflect", "replicate", "circular")


def there_and_back(pool, unpool):
    return lambda *xs: unpool(*pool(*xs))


cases = {
    "MaxPool1d with indices": layer(
        lambda: nn.MaxPool1d(3, stride=2, padding=1, dilation=2, ceil_mode=True, return_indices=True), [(2, 2, 9)]
    ),
    "MaxPool2d with indices": layer(
        lambda: nn.MaxPool2d((3, 2), stride=2, padding=(1, 0), return_indices=True), [(2, 3, 5, 6)]
    ),
    "MaxPool3d with indices": layer(lambda: nn.MaxPool3d(2, return_indices=True), [(1, 2, 4, 5, 4)]),
    "MaxPool3d with all options, and indices": layer(
        lambda: nn.MaxPool3d((3, 2, 2), stride=(2, 1, 2), padding=(1, 1, 0), dilation=(1, 2, 1), ceil_mode=True, return_indices=True),
        [(2, 5, 4, 5)],
    ),
    "indices of equal elements and of no numbers": function(
        lambda x: F.max_pool3d(x, 2, stride=1, return_indices=True), [odd.reshape(1, 1, 2, 2, 3)]
    ),
    "indices of no images": function(lambda x: F.max_pool2d(x, 2, return_indices=True), [(0, 2, 4, 4)]),
    "AdaptiveMaxPool1d with indices": layer(lambda: nn.AdaptiveMaxPool1d(3, return_indices=True), [(2, 2, 7)]),
    "AdaptiveMaxPool2d with indices": layer(lambda: nn.AdaptiveMaxPool2d((3, 2), return_indices=True), [(1, 2, 7, 5)]),
    "adaptiveMaxPool2d with indices to more": function(
        lambda x: F.adaptive_max_pool2d(x, (None, 5), return_indices=True), [(2, 3, 3)]
    ),
    "MaxUnpool1d": function(
        there_and_back(nn.MaxPool1d(2, return_indices=True), nn.MaxUnpool1d(2)), [(2, 3, 8)]
    ),
    "MaxUnpool2d": function(
        there_and_back(nn.MaxPool2d(3, stride=2, padding=1, return_indices=True), nn.MaxUnpool2d(3, stride=2, padding=1)),
        [(2, 2, 7, 9)],
    ),
    "MaxUnpool3d": function(
        there_and_back(nn.MaxPool3d((2, 1, 2), return_indices=True), nn.MaxUnpool3d((2, 1, 2))), [(2, 4, 3, 2)]
    ),
    "maxUnpool2d to a size": function(
        there_and_back(
            lambda x: F.max_pool2d(x, 2, return_indices=True), lambda y, i: F.max_unpool2d(y, i, 2, output_size=[5, 4])
        ),
        [(1, 2, 5, 4)],
    ),
}
for mode in conv_modes:
    cases[f"Conv1d {mode}"] = layer(
        lambda: nn.Conv1d(2, 4, 3, stride=2, padding=2, dilation=2, groups=2, padding_mode=mode), [(2, 2, 7)]
    )
    cases[f"Conv3d {mode}"] = layer(
        lambda: nn.Conv3d(1, 2, (2, 3, 3), padding=(0, 1, 2), padding_mode=mode), [(2, 1, 3, 4, 5)]
    )
    cases[f"Conv1d {mode}, same"] = layer(
        lambda: nn.Conv1d(1, 2, 4, padding="same", dilation=2, padding_mode=mode), [(1, 1, 9)]
    )
write("unpooling", cases)
