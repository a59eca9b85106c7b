"""Numbers by formula: the same as ../support/formula.mjs gives."""

import math

import numpy as np


def hashed(n, seed):
    """24-bit hashes (lowbias32) of 0..n-1 and a seed."""
    with np.errstate(over="ignore"):
        h = np.arange(n, dtype=np.uint32) + np.uint32(seed * 0x9E3779B9 & 0xFFFFFFFF)
        h = (h ^ (h >> np.uint32(16))) * np.uint32(0x7FEB352D)
        h = (h ^ (h >> np.uint32(15))) * np.uint32(0x846CA68B)
        return (h ^ (h >> np.uint32(16))) >> np.uint32(8)


def uniform(shape, seed, scale=1.0):
    """Values in [-scale, scale)."""
    n = math.prod(shape)
    return ((hashed(n, seed).astype(np.float64) / 2**23 - 1) * scale).astype(np.float32).reshape(shape)


def labels(n, seed, classes):
    return (hashed(n, seed) % np.uint32(classes)).astype(np.int64)


def parameter(name, shape, seed):
    """Weights uniform within about Kaiming's bound, biases 0, a norm's weights 1."""
    if len(shape) == 1:
        return np.full(shape, 0 if name.endswith("bias") else 1, dtype=np.float32)
    return uniform(shape, seed, float(np.float32(math.sqrt(6 / (math.prod(shape) / shape[0])))))
