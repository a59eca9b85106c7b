"""Inception-ResNet v2 in PyTorch, from the paper (https://arxiv.org/abs/1602.07261) with the names of timm's `inception_resnet_v2`:
torchvision has none. 55,843,464 parameters with 1000 classes, as timm's list of models says."""

from collections import OrderedDict

import torch
from torch import nn


def conv(inputs, outputs, size, stride=1, padding=0):
    block = OrderedDict(conv=nn.Conv2d(inputs, outputs, size, stride, padding, bias=False))
    return nn.Sequential(block | {"bn": nn.BatchNorm2d(outputs, eps=1e-3), "relu": nn.ReLU()})


def same(inputs, outputs, rows, columns=None):
    columns = columns or rows
    return conv(inputs, outputs, (rows, columns), 1, (rows // 2, columns // 2))


class Branches(nn.Module):
    def __init__(self, *branches):
        super().__init__()
        for i, branch in enumerate(branches):
            self.add_module(f"branch{i}", branch)
        self.count = len(branches)

    def forward(self, x):
        return torch.cat([getattr(self, f"branch{i}")(x) for i in range(self.count)], 1)


class Residual(Branches):
    def __init__(self, inputs, outputs, scale, *branches, relu=True):
        super().__init__(*branches)
        self.conv2d = nn.Conv2d(inputs, outputs, 1)
        self.scale, self.relu = scale, relu

    def forward(self, x):
        y = x + self.scale * self.conv2d(super().forward(x))
        return torch.relu(y) if self.relu else y


def block35():
    second = nn.Sequential(same(320, 32, 1), same(32, 32, 3))
    third = nn.Sequential(same(320, 32, 1), same(32, 48, 3), same(48, 64, 3))
    return Residual(128, 320, 0.17, same(320, 32, 1), second, third)


def block17():
    second = nn.Sequential(same(1088, 128, 1), same(128, 160, 1, 7), same(160, 192, 7, 1))
    return Residual(384, 1088, 0.1, same(1088, 192, 1), second)


def block8(scale, relu=True):
    second = nn.Sequential(same(2080, 192, 1), same(192, 224, 1, 3), same(224, 256, 3, 1))
    return Residual(448, 2080, scale, same(2080, 192, 1), second, relu=relu)


def inception_resnet_v2(num_classes=1000):
    features = OrderedDict(
        conv2d_1a=conv(3, 32, 3, 2),
        conv2d_2a=conv(32, 32, 3),
        conv2d_2b=same(32, 64, 3),
        maxpool_3a=nn.MaxPool2d(3, 2),
        conv2d_3b=same(64, 80, 1),
        conv2d_4a=conv(80, 192, 3),
        maxpool_5a=nn.MaxPool2d(3, 2),
        mixed_5b=Branches(
            same(192, 96, 1),
            nn.Sequential(same(192, 48, 1), same(48, 64, 5)),
            nn.Sequential(same(192, 64, 1), same(64, 96, 3), same(96, 96, 3)),
            nn.Sequential(nn.AvgPool2d(3, 1, 1, count_include_pad=False), same(192, 64, 1)),
        ),
        repeat=nn.Sequential(*[block35() for _ in range(10)]),
        mixed_6a=Branches(
            conv(320, 384, 3, 2),
            nn.Sequential(same(320, 256, 1), same(256, 256, 3), conv(256, 384, 3, 2)),
            nn.MaxPool2d(3, 2),
        ),
        repeat_1=nn.Sequential(*[block17() for _ in range(20)]),
        mixed_7a=Branches(
            nn.Sequential(same(1088, 256, 1), conv(256, 384, 3, 2)),
            nn.Sequential(same(1088, 256, 1), conv(256, 288, 3, 2)),
            nn.Sequential(same(1088, 256, 1), same(256, 288, 3), conv(288, 320, 3, 2)),
            nn.MaxPool2d(3, 2),
        ),
        repeat_2=nn.Sequential(*[block8(0.2) for _ in range(9)]),
        block8=block8(1.0, relu=False),
        conv2d_7b=same(2080, 1536, 1),
    )
    head = dict(pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), classif=nn.Linear(1536, num_classes))
    return nn.Sequential(features | head)


if __name__ == "__main__":
    assert sum(p.numel() for p in inception_resnet_v2().parameters()) == 55_843_464
