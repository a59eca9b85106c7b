"""Writes test/golden/layers/convolution.json. Run from the repository's root: /usr/bin/python3 scripts/golden/layers_convolution.py"""

from torch import nn
from torch.nn import functional as F

from layers import function, layer, write

cases = {
    "ConvTranspose2d": layer(lambda: nn.ConvTranspose2d(3, 4, 3), [(2, 3, 4, 5)]),
    "ConvTranspose2d by two": layer(lambda: nn.ConvTranspose2d(4, 2, 2, stride=2), [(2, 4, 3, 5)]),
    "ConvTranspose2d with all options": layer(
        lambda: nn.ConvTranspose2d(
            4, 6, (3, 2), stride=(2, 3), padding=(1, 0), output_padding=(1, 2), groups=2, dilation=(1, 2), bias=False
        ),
        [(2, 4, 3, 4)],
    ),
    "ConvTranspose2d whose output padding exceeds its stride": layer(
        lambda: nn.ConvTranspose2d(2, 3, 3, dilation=3, output_padding=(2, 1)), [(1, 2, 3, 3)]
    ),
    "ConvTranspose2d depthwise": layer(lambda: nn.ConvTranspose2d(3, 3, 4, 2, 1, groups=3), [(2, 3, 4, 4)]),
    "convTranspose2d of no images": function(F.conv_transpose2d, [(0, 3, 4, 5), (3, 2, 3, 3), (2,)]),
    "ConvTranspose1d": layer(
        lambda: nn.ConvTranspose1d(4, 6, 4, stride=3, padding=1, output_padding=1, groups=2), [(2, 4, 5)]
    ),
    "ConvTranspose3d": layer(lambda: nn.ConvTranspose3d(2, 3, 3), [(1, 2, 2, 3, 3)]),
    "ConvTranspose3d with all options": layer(
        lambda: nn.ConvTranspose3d(
            4, 2, (2, 3, 2), stride=(2, 1, 2), padding=(1, 1, 0), output_padding=(1, 0, 1), groups=2, dilation=(2, 1, 1)
        ),
        [(2, 4, 2, 3, 2)],
    ),
    "Conv1d": layer(lambda: nn.Conv1d(3, 5, 3), [(2, 3, 7)]),
    "Conv1d with all options": layer(
        lambda: nn.Conv1d(4, 6, 3, stride=2, padding=2, dilation=2, groups=2, bias=False), [(2, 4, 9)]
    ),
    "Conv1d same": layer(lambda: nn.Conv1d(2, 3, 4, padding="same"), [(2, 2, 6)]),
    "conv1d of no signals": function(F.conv1d, [(0, 3, 5), (2, 3, 3), (2,)]),
    "Conv3d": layer(lambda: nn.Conv3d(2, 3, 3, padding=1), [(2, 2, 3, 4, 3)]),
    "Conv3d with all options": layer(
        lambda: nn.Conv3d(
            4, 4, (2, 3, 2), stride=(2, 1, 2), padding=(1, 0, 1), dilation=(1, 1, 2), groups=2, bias=False
        ),
        [(2, 4, 4, 3, 4)],
    ),
    "Conv3d same": layer(lambda: nn.Conv3d(1, 2, (2, 1, 4), padding="same"), [(1, 1, 3, 2, 4)]),
    "Conv2d same": layer(lambda: nn.Conv2d(2, 3, (2, 3), padding="same", dilation=(1, 2)), [(2, 2, 4, 5)]),
    "Conv2d same, even": layer(lambda: nn.Conv2d(2, 2, 4, padding="same"), [(1, 2, 5, 4)]),
    "Conv2d valid": layer(lambda: nn.Conv2d(2, 2, 2, stride=2, padding="valid"), [(1, 2, 5, 4)]),
    "depthwise by unlike strides": layer(
        lambda: nn.Conv2d(3, 3, (4, 3), stride=(3, 2), padding=(2, 1), groups=3), [(2, 3, 7, 6)]
    ),
    "depthwise, dilated": layer(
        lambda: nn.Conv2d(2, 4, 3, stride=2, dilation=2, padding=1, groups=2), [(1, 2, 7, 6)]
    ),
    "unfold": function(lambda x: F.unfold(x, (2, 3), dilation=(2, 1), padding=(1, 0), stride=(1, 2)), [(2, 2, 5, 6)]),
    "unfold of no images": function(lambda x: F.unfold(x, 2), [(0, 2, 3, 3)]),
    "Unfold": layer(lambda: nn.Unfold(2, stride=2), [(1, 3, 4, 4)]),
    "fold": function(
        lambda x: F.fold(x, (5, 6), (2, 3), dilation=(2, 1), padding=(1, 0), stride=(1, 2)), [(2, 12, 10)]
    ),
    "Fold": layer(lambda: nn.Fold(4, 3, padding=1), [(2, 18, 16)]),
}
write("convolution", cases)
