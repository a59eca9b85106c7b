"""Writes test/golden/layers/spectral-norm.json. Run from the repository's root: /usr/bin/python3 scripts/golden/layers_spectral_norm.py"""

import torch
from torch import nn

from layers import layer, wave, write


def made(module, **options):
    """With waves 300 and 301 as vectors, of length 1."""
    module = nn.utils.spectral_norm(module.double(), **options)
    with torch.no_grad():
        for k, vector in enumerate((module.weight_u, module.weight_v)):
            vector.copy_(nn.functional.normalize(wave(vector.shape, 300 + k), dim=0))
    return module


def vectors(module, *xs):
    y = module(*xs)
    return y, module.weight_u.clone(), module.weight_v.clone()


write(
    "spectral-norm",
    {
        "spectralNorm of a convolution": layer(lambda: made(nn.Conv2d(2, 3, 3, bias=False)), [(1, 2, 4, 4)], vectors),
        "spectralNorm of a transposed convolution": layer(
            lambda: made(nn.ConvTranspose2d(2, 3, 3)), [(1, 2, 3, 3)], vectors
        ),
        "spectralNorm of a linear layer": layer(lambda: made(nn.Linear(3, 4)), [(2, 3)], vectors),
        "spectralNorm of several steps, along the inputs": layer(
            lambda: made(nn.Linear(3, 4), n_power_iterations=3, dim=1), [(2, 3)], vectors
        ),
        "spectralNorm in evaluation": layer(lambda: made(nn.Linear(3, 4)), [(2, 3)], vectors, train=False),
        "spectralNorm of two forwards": layer(
            lambda: made(nn.Linear(3, 4)), [(2, 3), (2, 3)], lambda m, x, y: (m(x), m(y))
        ),
    },
)
