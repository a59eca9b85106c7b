"""PyTorch's side of test/programs: the same models, on the same numbers."""

import numpy as np
import torch
import torch.nn.functional as F
from formula import labels, parameter, uniform
from torch import nn


def values(shape, seed):
    return torch.from_numpy(uniform(shape, seed))


def shares(shape, seed):
    return values(shape, seed) / 2 + 0.5


def whole(shape, seed, classes):
    return torch.from_numpy(labels(int(np.prod(shape)), seed, classes)).reshape(shape)


class MnistNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 32, 3), nn.Conv2d(32, 64, 3)
        self.fc1, self.fc2 = nn.Linear(9216, 128), nn.Linear(128, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv2(F.relu(self.conv1(x)))), 2)
        return F.log_softmax(self.fc2(F.relu(self.fc1(x.flatten(1)))), 1)


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc21, self.fc22 = nn.Linear(784, 400), nn.Linear(400, 20), nn.Linear(400, 20)
        self.fc3, self.fc4 = nn.Linear(20, 400), nn.Linear(400, 784)

    def forward(self, x, noise):
        h = F.relu(self.fc1(x))
        mean, log_var = self.fc21(h), self.fc22(h)
        z = mean + noise * torch.exp(0.5 * log_var)
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mean, log_var


def up(a, b, stride, padding):
    return [nn.ConvTranspose2d(a, b, 4, stride, padding, bias=False), nn.BatchNorm2d(b), nn.ReLU()]


def down(a, b):
    return [nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2)]


def double(a, b):
    layers = []
    for c in (a, b):
        layers += [nn.Conv2d(c, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1, self.down2, self.bottom = double(3, 16), double(16, 32), double(32, 64)
        self.up2, self.up1, self.head = double(96, 32), double(48, 16), nn.Conv2d(16, 3, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(F.max_pool2d(a, 2))
        c = self.bottom(F.max_pool2d(b, 2))
        d = self.up2(torch.cat([F.interpolate(c, scale_factor=2), b], 1))
        return self.head(self.up1(torch.cat([F.interpolate(d, scale_factor=2), a], 1)))


class CausalBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.ln1, self.qkv, self.proj = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.ln2, self.fc, self.out = nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.heads = heads

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = (p.view(b, t, self.heads, -1).transpose(1, 2) for p in self.qkv(self.ln1(x)).split(c, 2))
        scores = q @ k.transpose(-2, -1) / (c // self.heads) ** 0.5
        hidden = torch.triu(torch.ones(t, t, dtype=torch.bool), 1)
        y = torch.softmax(scores.masked_fill(hidden, float("-inf")), -1) @ v
        x = x + self.proj(y.transpose(1, 2).reshape(b, t, c))
        return x + self.out(F.gelu(self.fc(self.ln2(x))))


class CharModel(nn.Module):
    def __init__(self, length, width, depth, heads):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(65, width), nn.Embedding(length, width)
        self.blocks = nn.Sequential(*[CausalBlock(width, heads) for _ in range(depth)])
        self.ln, self.head = nn.LayerNorm(width), nn.Linear(width, 65)

    def forward(self, ids):
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
        return self.head(self.ln(self.blocks(x)))


class Classifier(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.embedding, self.rnn, self.fc = nn.Embedding(2000, 64), getattr(nn, kind)(64, 64), nn.Linear(64, 2)

    def forward(self, words):
        output, _ = self.rnn(self.embedding(words))
        return self.fc(output[-1])


class ViTBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        y = self.norm1(x)
        x = x + self.attn(y, y, y, need_weights=False)[0]
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class ViT(nn.Module):
    def __init__(self):
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, 192))
        self.pos_embed = nn.Parameter(torch.zeros(1, 65, 192))
        self.patches = nn.Conv2d(3, 192, 4, 4)
        self.blocks = nn.Sequential(*[ViTBlock(192, 3) for _ in range(12)])
        self.norm, self.head = nn.LayerNorm(192, eps=1e-6), nn.Linear(192, 10)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), 1, 192), x], 1) + self.pos_embed
        return self.head(self.norm(self.blocks(x))[:, 0])


def mobilenet():
    from torchvision.models import mobilenet_v2

    net = mobilenet_v2(num_classes=10)
    net.classifier[0].p = 0.0
    return net


def adam(modules, **options):
    return torch.optim.Adam([p for m in modules for p in m.parameters()], **options)


class Program:
    """Modules, a batch, and a loss; `step` is overridden where there is more than one optimizer."""

    def __init__(self, module, batch, loss, optimizer, clip=None):
        self.modules, self.data, self.loss, self.clip = [module], batch, loss, clip
        self.optimizer = optimizer([p for p in module.parameters()])

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(*self.data)
        loss.backward()
        if self.clip:
            nn.utils.clip_grad_norm_(self.modules[0].parameters(), self.clip)
        self.optimizer.step()
        return float(loss.detach())


class Dcgan:
    def __init__(self, batch=64):
        g = nn.Sequential(*up(100, 128, 1, 0), *up(128, 64, 2, 1), *up(64, 32, 2, 1), nn.ConvTranspose2d(32, 1, 4, 2, 1, bias=False), nn.Tanh())
        d = nn.Sequential(
            nn.Conv2d(1, 32, 4, 2, 1, bias=False), nn.LeakyReLU(0.2), *down(32, 64), *down(64, 128), nn.Conv2d(128, 1, 4, bias=False), nn.Flatten(0)
        )
        self.modules, self.data = [g, d], (values((batch, 1, 32, 32), 1), values((batch, 100, 1, 1), 2))
        self.for_g, self.for_d = (torch.optim.Adam(m.parameters(), lr=2e-4, betas=(0.5, 0.999)) for m in (g, d))
        self.real, self.fake = torch.ones(batch), torch.zeros(batch)

    def step(self):
        (g, d), (images, noise) = self.modules, self.data
        self.for_d.zero_grad(set_to_none=True)
        made = g(noise)
        judged = lambda x, y: F.binary_cross_entropy_with_logits(d(x), y)
        loss = judged(images, self.real) + judged(made.detach(), self.fake)
        loss.backward()
        self.for_d.step()
        self.for_g.zero_grad(set_to_none=True)
        judged(made, self.real).backward()
        self.for_g.step()
        return float(loss.detach())


def classified(net, data, lr=1e-3, make=torch.optim.Adam, **rest):
    return Program(net, data, lambda x, y: F.cross_entropy(net(x), y), lambda ps: make(ps, lr=lr, **rest))


def mnist():
    net = MnistNet()
    return Program(net, (shares((64, 1, 28, 28), 1), whole((64,), 2, 10)), lambda x, y: F.nll_loss(net(x), y), lambda ps: torch.optim.Adam(ps, lr=1e-3))


def vae(batch=128):
    net = VAE()

    def loss(x, noise):
        y, mean, log_var = net(x, noise)
        divergence = -0.5 * (1 + log_var - mean**2 - log_var.exp()).sum()
        return (F.binary_cross_entropy(y, x, reduction="sum") + divergence) / batch

    return Program(net, (shares((batch, 784), 1), values((batch, 20), 2)), loss, lambda ps: torch.optim.Adam(ps, lr=1e-3))


def unet():
    return classified(UNet(), (values((8, 3, 64, 64), 1), whole((8, 64, 64), 2, 3)))


def char_transformer():
    net = CharModel(64, 128, 4, 4)
    data = whole((16, 64), 1, 65), whole((16, 64), 2, 65)
    loss = lambda x, y: F.cross_entropy(net(x).flatten(0, 1), y.flatten())
    return Program(net, data, loss, lambda ps: torch.optim.AdamW(ps, lr=3e-4))


def sequences(kind):
    net = Classifier(kind)
    data = whole((40, 32), 1, 2000), whole((32,), 2, 2)
    return Program(net, data, lambda x, y: F.cross_entropy(net(x), y), lambda ps: torch.optim.Adam(ps, lr=1e-3), clip=1.0)


def embedding():
    table = nn.Embedding(30_000, 256)
    loss = lambda words: table(words).square().mean()
    return Program(table, (whole((2048,), 1, 30_000),), loss, lambda ps: torch.optim.SGD(ps, lr=0.1))


PROGRAMS = {
    "mnist-cnn": mnist,
    "vae": vae,
    "dcgan": Dcgan,
    "unet": unet,
    "char-transformer": char_transformer,
    "lstm": lambda: sequences("LSTM"),
    "gru": lambda: sequences("GRU"),
    "mobilenet": lambda: classified(mobilenet(), (values((16, 3, 32, 32), 1), whole((16,), 2, 10)), 0.05, torch.optim.SGD, momentum=0.9),
    "vit": lambda: classified(ViT(), (values((8, 3, 32, 32), 1), whole((8,), 2, 10)), make=torch.optim.AdamW),
    "embedding": embedding,
}


class ProgramTrainer:
    def __init__(self, spec):
        self.program = PROGRAMS[spec["name"]]()
        named = [item for m in self.program.modules for item in m.named_parameters()]
        with torch.no_grad():
            for i, (name, p) in enumerate(named):
                p.copy_(torch.from_numpy(parameter(name, tuple(p.shape), i + 1)))
        self.step = self.program.step

    def run(self, times):
        for _ in range(times):
            self.step()
