"""PyTorch's side of bench:families: torchvision's models, and those of scripts/golden, changed as `adaptToSmallImages` changes wgrad's."""

import os
import sys
import warnings
from types import MethodType

import torch
import torch.nn.functional as F
from formula import labels, parameter, uniform
from torch import nn
from torchvision import models
from torchvision.models.swin_transformer import ShiftedWindowAttention, SwinTransformer
from torchvision.models.vision_transformer import _vision_transformer
from torchvision.ops import StochasticDepth

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts", "golden"))
import transformers  # noqa: E402
from inception_resnet_v2 import inception_resnet_v2 as inception_resnet  # noqa: E402

warnings.simplefilter("ignore", FutureWarning)  # of how torchvision may initialise its models one day
CLASSES = 10
SMALL = {"image_size": 32, "patch_size": 4, "num_classes": CLASSES}


def stem(conv):
    """A convolution of at most 3x3 and stride 1 that keeps the size of the map."""
    size = min(3, *conv.kernel_size)
    return nn.Conv2d(conv.in_channels, conv.out_channels, size, 1, (size - 1) // 2, bias=conv.bias is not None)


def unstrided(part):
    for module in part.modules():
        if isinstance(module, nn.Conv2d):
            module.stride = (1, 1)


def made(name, **options):
    return getattr(models, name)(num_classes=CLASSES, **options)


def alexnet(name):
    net = made(name)
    net.features[0], net.features[2] = stem(net.features[0]), nn.Identity()
    return net


def convnext(name):
    net = made(name)
    net.features[0][0] = stem(net.features[0][0])
    return net


def densenet(name):
    net = made(name)
    net.features.conv0, net.features.pool0 = stem(net.features.conv0), nn.Identity()
    return net


def googlenet(name):
    net = made(name, aux_logits=True, transform_input=False, init_weights=False)
    net.conv1.conv, net.maxpool1 = stem(net.conv1.conv), nn.Identity()
    return net


def inception(name):
    net = made(name, aux_logits=True, transform_input=False, init_weights=False)
    for block in (net.Conv2d_1a_3x3, net.Conv2d_2a_3x3, net.Conv2d_4a_3x3):
        block.conv = stem(block.conv)
    net.maxpool1 = nn.Identity()

    def forward(aux, x):
        x = aux.conv1(aux.conv0(F.adaptive_avg_pool2d(x, 5)))
        return aux.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))

    net.AuxLogits.forward = MethodType(forward, net.AuxLogits)
    return net


def inception_resnet_v2(name):
    net = inception_resnet(num_classes=CLASSES)
    for block in (net.conv2d_1a, net.conv2d_2a, net.conv2d_4a):
        block.conv = stem(block.conv)
    net.maxpool_3a = nn.Identity()
    return net


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 6, 5), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, CLASSES)

    def forward(self, x):
        for conv in (self.conv1, self.conv2):
            x = F.max_pool2d(F.relu(conv(x)), 2)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x.flatten(1))))))


def halved_less(first):
    """MobileNets and EfficientNets: stride 1 in the stem and in the first part of stride 2."""

    def build(name):
        net = made(name)
        net.features[0][0].stride = (1, 1)
        unstrided(net.features[first])
        return net

    return build


def resnet(name):
    net = made(name)
    net.conv1, net.maxpool = stem(net.conv1), nn.Identity()
    return net


def shufflenet(name):
    net = made(name)
    net.conv1[0].stride, net.maxpool = (1, 1), nn.Identity()
    return net


def squeezenet(name):
    net = made(name)
    net.features[0], net.features[2] = stem(net.features[0]), nn.Identity()
    return net


def swin(name):
    net = SwinTransformer([2, 2], 96, [2, 2, 6, 2], [3, 6, 12, 24], [4, 4], num_classes=CLASSES)
    for i, block in enumerate(net.features[7]):
        block.attn = ShiftedWindowAttention(768, [2, 2], [i % 2] * 2, 24)
    return net


def transformer(depth=12):
    return lambda name: transformers.builders[name](depth=depth, **SMALL)


def vgg(name):
    net = made(name)
    net.avgpool, net.classifier[0] = nn.AdaptiveAvgPool2d(1), nn.Linear(512, 4096)
    return net


FAMILIES = {
    "alexnet": alexnet,
    "beit_base_patch16_224": transformer(2),
    "convnext_tiny": convnext,
    "deit_tiny_patch16_224": transformer(),
    "densenet121": densenet,
    "efficientnet_b0": halved_less(2),
    "efficientnet_v2_s": halved_less(2),
    "googlenet": googlenet,
    "inception_resnet_v2": inception_resnet_v2,
    "inception_v3": inception,
    "lenet5": lambda name: LeNet(),
    "mobilenet_v2": halved_less(2),
    "mobilenet_v3_small": halved_less(1),
    "moco_v3_vit_small": transformer(2),
    "resnet18": resnet,
    "resnext50_32x4d": resnet,
    "shufflenet_v2_x1_0": shufflenet,
    "squeezenet1_1": squeezenet,
    "swin_t": swin,
    "vgg11": vgg,
    "vit_b_16": lambda name: _vision_transformer(4, 2, 12, 768, 3072, None, False, image_size=32, num_classes=CLASSES),
}


class FamilyTrainer:
    def __init__(self, spec):
        self.net = FAMILIES[spec["name"]](spec["name"]).train()
        for module in self.net.modules():
            if isinstance(module, (nn.Dropout, StochasticDepth)):
                module.p = 0.0
        with torch.no_grad():
            for i, (name, p) in enumerate(self.net.named_parameters()):
                p.copy_(torch.from_numpy(parameter(name, tuple(p.shape), i + 1)))
        self.x = torch.from_numpy(uniform((spec["batch"], 3, 32, 32), 1000))
        self.y = torch.from_numpy(labels(spec["batch"], 1001, CLASSES))
        self.optimizer = torch.optim.SGD([p for p in self.net.parameters() if p.requires_grad], lr=1e-4, momentum=0.9)

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        y = self.net(self.x)
        loss = sum(F.cross_entropy(head, self.y) for head in (y if isinstance(y, tuple) else (y,)))
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())

    def run(self, times):
        for _ in range(times):
            self.step()
