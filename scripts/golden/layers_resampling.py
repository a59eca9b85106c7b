"""Writes test/golden/layers/resampling.json. Run from the repository's root: /usr/bin/python3 scripts/golden/layers_resampling.py"""

import torch
from torch import nn
from torch.nn import functional as F

from layers import function, layer, wave, write

cases = {}


def interpolated(name, shape, **options):
    cases[name] = function(lambda x: F.interpolate(x, **options), [shape])


interpolated("nearest by two", (1, 2, 3, 4), scale_factor=2)
interpolated("nearest to a size", (2, 1, 5, 7), size=(8, 3))
interpolated("nearest by a factor", (1, 1, 4, 5), scale_factor=(1.7, 0.6))
interpolated("nearest of signals", (2, 2, 5), size=8)
interpolated("nearest of volumes", (1, 2, 2, 3, 2), size=(3, 2, 4))
interpolated("nearest-exact", (1, 2, 5, 4), size=(7, 9), mode="nearest-exact")
interpolated("nearest-exact of volumes", (1, 1, 3, 2, 3), scale_factor=1.5, mode="nearest-exact")
interpolated("linear", (2, 1, 5), size=8, mode="linear")
interpolated("linear, corners aligned", (1, 2, 6), size=4, mode="linear", align_corners=True)
interpolated("bilinear by two", (1, 2, 3, 4), scale_factor=2, mode="bilinear")
interpolated("bilinear, corners aligned", (1, 2, 3, 4), size=(5, 7), mode="bilinear", align_corners=True)
interpolated("bilinear to one row, corners aligned", (1, 1, 3, 4), size=(1, 6), mode="bilinear", align_corners=True)
interpolated("bilinear by a factor", (1, 1, 5, 4), scale_factor=(0.7, 1.3), mode="bilinear")
interpolated(
    "bilinear by a factor, recomputed", (1, 1, 5, 4), scale_factor=(0.7, 1.3), mode="bilinear", recompute_scale_factor=True
)
interpolated("bilinear, antialiased", (1, 2, 9, 7), size=(4, 10), mode="bilinear", antialias=True)
interpolated("bilinear, antialiased by much", (1, 1, 23, 19), size=(3, 2), mode="bilinear", antialias=True)
interpolated("bicubic", (1, 2, 4, 5), size=(7, 3), mode="bicubic")
interpolated("bicubic, corners aligned", (1, 1, 4, 5), scale_factor=2, mode="bicubic", align_corners=True)
interpolated("bicubic, antialiased", (1, 1, 9, 8), size=(4, 5), mode="bicubic", antialias=True)
interpolated("trilinear", (1, 2, 2, 3, 4), scale_factor=2, mode="trilinear")
interpolated("trilinear, corners aligned", (1, 1, 3, 4, 3), size=(4, 3, 2), mode="trilinear", align_corners=True)
interpolated("area", (1, 2, 7, 5), size=(3, 2), mode="area")
interpolated("area of signals, larger", (1, 2, 4), size=7, mode="area")
interpolated("no images", (0, 2, 3, 4), size=(5, 6), mode="bilinear")
cases["Upsample"] = layer(lambda: nn.Upsample(scale_factor=3, mode="bilinear", align_corners=False), [(1, 2, 3, 2)])

for mode in ("reflect", "replicate", "circular"):
    cases[f"pad {mode}"] = function(lambda x, mode=mode: F.pad(x, (2, 1, 1, 3), mode), [(2, 1, 4, 3)])
    cases[f"pad {mode} of signals"] = function(lambda x, mode=mode: F.pad(x, (3, 2), mode), [(1, 2, 4)])
    cases[f"pad {mode} of volumes"] = function(lambda x, mode=mode: F.pad(x, (1, 1, 0, 2, 1, 0), mode), [(1, 1, 2, 3, 3)])
    for padding in (1, "same"):
        cases[f"Conv2d {mode} {padding}"] = layer(
            lambda mode=mode, padding=padding: nn.Conv2d(2, 3, (3, 2), padding=padding, padding_mode=mode), [(1, 2, 4, 5)]
        )
cases["pad replicate by much, cropped"] = function(lambda x: F.pad(x, (7, -1, -2, 6), "replicate"), [(1, 2, 4, 3)])
cases |= {
    "ConstantPad1d": layer(lambda: nn.ConstantPad1d((1, 2), 3.5), [(1, 2, 3)]),
    "ConstantPad2d": layer(lambda: nn.ConstantPad2d(1, -2.0), [(1, 2, 2, 3)]),
    "ZeroPad2d": layer(lambda: nn.ZeroPad2d((1, 0, 2, -1)), [(1, 2, 2, 3)]),
    "ReflectionPad1d": layer(lambda: nn.ReflectionPad1d(2), [(1, 2, 4)]),
    "ReflectionPad2d": layer(lambda: nn.ReflectionPad2d((1, 2, 2, 1)), [(1, 1, 3, 4)]),
    "ReplicationPad1d": layer(lambda: nn.ReplicationPad1d((0, 3)), [(1, 2, 2)]),
    "ReplicationPad2d": layer(lambda: nn.ReplicationPad2d(2), [(1, 1, 3, 2)]),
    "MaxPool1d": layer(lambda: nn.MaxPool1d(3, stride=2, padding=1, dilation=2, ceil_mode=True), [(2, 2, 9)]),
    "AvgPool1d": layer(lambda: nn.AvgPool1d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False), [(2, 2, 8)]),
    "avgPool1d without a batch": function(lambda x: F.avg_pool1d(x, 2), [(3, 5)]),
    "MaxPool3d": layer(lambda: nn.MaxPool3d(2), [(1, 2, 4, 5, 4)]),
    "MaxPool3d with all options": layer(
        lambda: nn.MaxPool3d((3, 2, 2), stride=(1, 2, 1), padding=(1, 0, 1), dilation=(1, 2, 1), ceil_mode=True),
        [(1, 2, 4, 5, 4)],
    ),
    "maxPool3d of equal elements": function(lambda x: F.max_pool3d(x, 3, 2), [torch.round(wave((1, 1, 5, 5, 5), 0, 2.0))]),
    "AvgPool3d": layer(lambda: nn.AvgPool3d((2, 3, 2), stride=2, padding=1, ceil_mode=True), [(2, 1, 3, 4, 4)]),
    "AvgPool3d without padding in the divisor": layer(
        lambda: nn.AvgPool3d(3, stride=(2, 1, 2), padding=1, count_include_pad=False), [(2, 3, 4, 4)]
    ),
    "AdaptiveAvgPool1d": layer(lambda: nn.AdaptiveAvgPool1d(3), [(2, 2, 7)]),
    "AdaptiveAvgPool3d": layer(lambda: nn.AdaptiveAvgPool3d((2, None, 3)), [(1, 2, 3, 2, 5)]),
    "AdaptiveMaxPool1d": layer(lambda: nn.AdaptiveMaxPool1d(3), [(2, 2, 7)]),
    "AdaptiveMaxPool2d": layer(lambda: nn.AdaptiveMaxPool2d((3, 2)), [(1, 2, 7, 5)]),
    "AdaptiveMaxPool2d of whole windows": layer(lambda: nn.AdaptiveMaxPool2d((None, 2)), [(2, 3, 6)]),
    "adaptiveMaxPool2d of equal elements": function(
        lambda x: F.adaptive_max_pool2d(x, 3), [torch.round(wave((1, 1, 7, 7), 0, 2.0))]
    ),
    "maxPool1d of no signals": function(lambda x: F.max_pool1d(x, 2), [(0, 2, 4)]),
}
write("resampling", cases)
