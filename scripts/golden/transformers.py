"""Vision transformers that torchvision lacks, with timm's names: written from the papers and the published state dicts.

ViT and DeiT (arXiv 2010.11929, 2012.12877), BEiT (2106.08254) and MoCo v3's (2104.02057).
"""

import math

import torch
from torch import nn
from torch.nn import functional as F
from torchvision import models


def norm(dim):
    return nn.LayerNorm(dim, eps=1e-6)


class Mlp(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc1 = nn.Linear(dim, 4 * dim)
        self.fc2 = nn.Linear(4 * dim, dim)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


def attend(q, k, v, bias=0.0):
    """[N, heads, L, E] each."""
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + bias
    y = scores.softmax(-1) @ v
    return y.transpose(1, 2).flatten(2)


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        n, steps, dim = x.shape
        q, k, v = self.qkv(x).reshape(n, steps, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        return self.proj(attend(q, k, v))


class Block(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.norm1 = norm(dim)
        self.attn = Attention(dim, heads)
        self.norm2 = norm(dim)
        self.mlp = Mlp(dim)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class PatchEmbed(nn.Module):
    def __init__(self, dim, patch):
        super().__init__()
        self.proj = nn.Conv2d(3, dim, patch, patch)

    def forward(self, x):
        return self.proj(x).flatten(2).transpose(1, 2)


class Vit(nn.Module):
    def __init__(self, dim, heads, depth=12, image_size=224, patch_size=16, num_classes=1000, distilled=False):
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, (image_size // patch_size) ** 2 + 1 + distilled, dim))
        self.dist_token = nn.Parameter(torch.zeros(1, 1, dim)) if distilled else None
        self.patch_embed = PatchEmbed(dim, patch_size)
        self.blocks = nn.Sequential(*[Block(dim, heads) for _ in range(depth)])
        self.norm = norm(dim)
        self.head = nn.Linear(dim, num_classes)
        self.head_dist = nn.Linear(dim, num_classes) if distilled else None

    def forward(self, x):
        x = self.patch_embed(x)
        tokens = [self.cls_token] + ([self.dist_token] if self.head_dist else [])
        x = torch.cat([t.expand(len(x), -1, -1) for t in tokens] + [x], 1) + self.pos_embed
        x = self.norm(self.blocks(x))
        y = self.head(x[:, 0])
        if not self.head_dist:
            return y
        z = self.head_dist(x[:, 1])
        return (y, z) if self.training else (y + z) / 2


class BeitAttention(nn.Module):
    def __init__(self, dim, heads, side, table=True):
        super().__init__()
        self.heads = heads
        self.q_bias = nn.Parameter(torch.zeros(dim))
        self.v_bias = nn.Parameter(torch.zeros(dim))
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * side - 1) ** 2 + 3, heads)) if table else None
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.proj = nn.Linear(dim, dim)
        self.index = relative_index(side)

    def forward(self, x, shared=None):
        n, steps, dim = x.shape
        bias = torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])
        q, k, v = F.linear(x, self.qkv.weight, bias).reshape(n, steps, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        if shared is None:
            shared = self.relative_position_bias_table[self.index].permute(2, 0, 1)
        return self.proj(attend(q, k, v, shared))


def relative_index(side):
    """Which row of the table belongs to a query and a key; the class token has three rows at the end of its own."""
    rows, columns = torch.arange(side * side) // side, torch.arange(side * side) % side
    far = (rows[:, None] - rows + side - 1) * (2 * side - 1) + columns[:, None] - columns + side - 1
    last = (2 * side - 1) ** 2
    index = torch.full((side * side + 1, side * side + 1), last)
    index[1:, 1:] = far
    index[1:, 0] = last + 1
    index[0, 0] = last + 2
    return index


class BeitBlock(nn.Module):
    def __init__(self, dim, heads, side, table=True):
        super().__init__()
        self.gamma_1 = nn.Parameter(torch.ones(dim))
        self.gamma_2 = nn.Parameter(torch.ones(dim))
        self.norm1 = norm(dim)
        self.attn = BeitAttention(dim, heads, side, table)
        self.norm2 = norm(dim)
        self.mlp = Mlp(dim)

    def forward(self, x, shared=None):
        x = x + self.gamma_1 * self.attn(self.norm1(x), shared)
        return x + self.gamma_2 * self.mlp(self.norm2(x))


class Beit(nn.Module):
    def __init__(self, dim, heads, depth, image_size=224, patch_size=16, num_classes=1000):
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.patch_embed = PatchEmbed(dim, patch_size)
        self.blocks = nn.Sequential(*[BeitBlock(dim, heads, image_size // patch_size) for _ in range(depth)])
        self.fc_norm = norm(dim)
        self.head = nn.Linear(dim, num_classes)

    def forward(self, x):
        x = self.patch_embed(x)
        x = self.blocks(torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1))
        return self.head(self.fc_norm(x[:, 1:].mean(1)))


def sincos(dim, side):
    """[1, side^2 + 1, dim]: waves of a patch's row and column; 0 for the class token."""
    at = torch.arange(side, dtype=torch.float32)
    rows, columns = torch.meshgrid(at, at, indexing="ij")
    omega = 1 / 10000 ** (torch.arange(dim // 4, dtype=torch.float32) / (dim // 4))
    first, second = rows.flatten()[:, None] * omega, columns.flatten()[:, None] * omega
    waves = torch.cat([first.sin(), first.cos(), second.sin(), second.cos()], 1)
    return torch.cat([torch.zeros(1, dim), waves])[None]


def moco(dim, heads, **options):
    model = Vit(dim, heads, **options)
    model.pos_embed = nn.Parameter(sincos(dim, math.isqrt(model.pos_embed.shape[1] - 1)), requires_grad=False)
    model.patch_embed.proj.requires_grad_(False)
    return model


widths = {"tiny": (192, 3), "small": (384, 6), "base": (768, 12), "large": (1024, 16)}
builders = {
    "beit_base_patch16_224": lambda **o: Beit(768, 12, **{"depth": 12, **o}),
    "beit_large_patch16_224": lambda **o: Beit(1024, 16, **{"depth": 24, **o}),
    "moco_v3_resnet50": lambda **o: models.resnet50(**o),
    "moco_v3_vit_small": lambda **o: moco(384, 12, **o),
    "moco_v3_vit_base": lambda **o: moco(768, 12, **o),
}
for size, (dim, heads) in widths.items():
    depth = 24 if size == "large" else 12

    def make(dim=dim, heads=heads, depth=depth, distilled=False):
        return lambda **o: Vit(dim, heads, distilled=distilled, **{"depth": depth, **o})

    builders[f"vit_{size}_patch16_224"] = make()
    if size != "large":
        builders[f"deit_{size}_patch16_224"] = make()
        builders[f"deit_{size}_distilled_patch16_224"] = make(distilled=True)
