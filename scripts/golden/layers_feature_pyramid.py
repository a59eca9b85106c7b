"""Writes test/golden/layers/feature_pyramid.json, of torchvision 0.14. Run from the repository's root:
/usr/bin/python3 scripts/golden/layers_feature_pyramid.py"""

from collections import OrderedDict

from torch import nn
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool, LastLevelP6P7

from layers import layer, write

CHANNELS = [2, 3, 4]
# Sizes that do not divide each other.
MAPS = [(1, 2, 5, 7), (1, 3, 3, 4), (1, 4, 2, 2)]


def pyramid(extra=None, channels=CHANNELS, inputs=MAPS, **options):
    def call(module, *maps):
        return list(module(OrderedDict(zip(["fine", "middle", "coarse"], maps))).values())

    return layer(lambda: FeaturePyramidNetwork(channels, 3, extra, **options), inputs, call)


write(
    "feature_pyramid",
    {
        "FeaturePyramidNetwork": pyramid(),
        "FeaturePyramidNetwork of one map": pyramid(channels=[2], inputs=[(2, 2, 2, 3)]),
        "FeaturePyramidNetwork with norms": pyramid(norm_layer=nn.BatchNorm2d),
        "LastLevelMaxPool": pyramid(LastLevelMaxPool()),
        "LastLevelP6P7 of the pyramid": pyramid(LastLevelP6P7(3, 3)),
        "LastLevelP6P7 of the network": pyramid(LastLevelP6P7(4, 3), [2, 4], [(1, 2, 4, 3), (1, 4, 3, 2)]),
    },
)
