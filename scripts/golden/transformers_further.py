"""Writes test/golden/transformers.json: MoCo v3's loss of its ViT and its ResNet, BEiT's logits for masked images and interpolated positions.

Written from arXiv 2104.02057 and 2106.08254. Run from the repository's root: /usr/bin/python3 scripts/golden/transformers_further.py
"""

import copy
import json
import os
import sys

import torch
import transformers
from torch import nn
from torch.nn import functional as F
from torchvision import models
from torchvision.models.vision_transformer import interpolate_embeddings

root = os.path.join(os.path.dirname(__file__), "..", "..")
sys.path.insert(0, os.path.join(root, "bench", "peers"))
from formula import parameter, uniform  # noqa: E402

DIM, HIDDEN, T, M = 16, 24, 0.2, 0.9


def fill(module):
    with torch.no_grad():
        for i, (key, p) in enumerate(module.named_parameters()):
            if not key.endswith("pos_embed"):
                p.copy_(torch.from_numpy(parameter(key, tuple(p.shape), i + 1)))


def mlp(layers, size, last_norm=True):
    parts = []
    for i in range(layers):
        last = i == layers - 1
        parts.append(nn.Linear(size if i == 0 else HIDDEN, DIM if last else HIDDEN, bias=False))
        parts += ([nn.BatchNorm1d(DIM, affine=False)] if last_norm else []) if last else [nn.BatchNorm1d(HIDDEN), nn.ReLU()]
    return nn.Sequential(*parts)


class MoCo(nn.Module):
    def __init__(self, encoder, predictor, t):
        super().__init__()
        self.base_encoder = encoder
        self.momentum_encoder = copy.deepcopy(self.base_encoder).requires_grad_(False)
        self.predictor = predictor
        self.t = t

    def loss(self, q, k):
        logits = F.normalize(q) @ F.normalize(k).T / self.t
        return F.cross_entropy(logits, torch.arange(len(q))) * 2 * self.t

    def forward(self, x1, x2):
        q1, q2 = (self.predictor(self.base_encoder(x)) for x in (x1, x2))
        with torch.no_grad():
            for target, p in zip(self.momentum_encoder.parameters(), self.base_encoder.parameters()):
                target.copy_(M * target + (1 - M) * p)
            k1, k2 = (self.momentum_encoder(x) for x in (x1, x2))
        return self.loss(q1, k2) + self.loss(q2, k1)


class MaskedBeit(nn.Module):
    def __init__(self, side=4, vocab=10):
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, 768))
        self.mask_token = nn.Parameter(torch.zeros(1, 1, 768))
        self.patch_embed = transformers.PatchEmbed(768, 8)
        self.rel_pos_bias = nn.Module()
        self.rel_pos_bias.relative_position_bias_table = nn.Parameter(torch.zeros((2 * side - 1) ** 2 + 3, 12))
        self.blocks = nn.ModuleList([transformers.BeitBlock(768, 12, side, table=False) for _ in range(2)])
        self.norm = transformers.norm(768)
        self.lm_head = nn.Linear(768, vocab)

    def forward(self, x, masked):
        x = self.patch_embed(x)
        w = masked[..., None].to(x.dtype)
        x = x * (1 - w) + self.mask_token * w
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1)
        bias = self.rel_pos_bias.relative_position_bias_table[transformers.relative_index(4)].permute(2, 0, 1)
        for block in self.blocks:
            x = block(x, bias)
        return self.lm_head(self.norm(x)[:, 1:])


def norms(module):
    return {key: float(f"{p.grad.norm().item():.7g}") for key, p in module.named_parameters() if p.requires_grad}


def views(n, size, seed):
    return torch.from_numpy(uniform((n, 3, size, size), seed)).double()


def pretrained(model, size):
    """The loss of two views, and that of the same views again, for which the momentum encoder has moved on."""
    fill(model)
    model.double()
    x = [views(6, size, seed) for seed in (1000, 1001)]
    loss = model(*x)
    loss.backward()
    with torch.no_grad():
        again = model(*x)
    return {"loss": loss.item(), "again": again.item(), "state": list(model.state_dict()), "gradients": norms(model)}


vit = transformers.moco(384, 12, image_size=32, patch_size=8, depth=1)
vit.head = mlp(3, 384)
resnet = models.resnet50()
resnet.fc = mlp(2, 2048)
out = {
    "moco": pretrained(MoCo(vit, mlp(2, DIM), T), 32),
    "mocoResnet": pretrained(MoCo(resnet, mlp(2, DIM, last_norm=False), 1.0), 64),
}

beit = MaskedBeit()
fill(beit)
beit.double()
masked = (torch.arange(32) % 3 == 0).int().reshape(2, 16)
y = beit(views(2, 32, 1000), masked)
y.backward(torch.from_numpy(uniform(tuple(y.shape), 1001)).double())
out["beit"] = {"logits": y.flatten()[::7].tolist(), "state": list(beit.state_dict()), "gradients": norms(beit)}

embedding = torch.from_numpy(uniform((1, 17, 8), 7))
moved = interpolate_embeddings(96, 16, {"encoder.pos_embedding": embedding.double()})["encoder.pos_embedding"]
grid = embedding[:, 1:].double().reshape(1, 4, 4, 8).permute(0, 3, 1, 2)
timm = F.interpolate(grid, size=(6, 6), mode="bicubic", antialias=True)
timm = torch.cat([embedding[:, :1].double(), timm.permute(0, 2, 3, 1).reshape(1, 36, 8)], 1)
out["positions"] = {"encoder.pos_embedding": moved.flatten().tolist(), "pos_embed": timm.flatten().tolist()}
with open(os.path.join(root, "test", "golden", "transformers.json"), "w") as f:
    json.dump(out, f)
print(out["moco"]["loss"], out["beit"]["logits"][:3])
