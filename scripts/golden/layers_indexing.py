"""Writes test/golden/layers/indexing.json. Run from the repository's root: /usr/bin/python3 scripts/golden/layers_indexing.py"""

import torch
from torch import nn
from torch.nn import functional as F

from layers import function, layer, write

i64 = torch.int64


def ints(*shape, bound, step=7):
    n = 1
    for size in shape:
        n *= size
    return torch.tensor([(step * i + i // 3) % bound for i in range(n)], dtype=i64).reshape(shape)


cases = {
    "Embedding": layer(lambda: nn.Embedding(11, 5), [ints(4, 6, bound=11)]),
    "Embedding paddingIdx": layer(lambda: nn.Embedding(7, 4, padding_idx=-2), [ints(20, bound=7)]),
    "Embedding of many": layer(lambda: nn.Embedding(50, 3), [ints(300, bound=50, step=13)]),
    "Embedding maxNorm": layer(lambda: nn.Embedding(6, 4, max_norm=0.4), [ints(3, 2, bound=6)]),
    "embedding maxNorm of another norm": function(
        lambda i, w: F.embedding(i, w.detach().clone(), max_norm=0.9, norm_type=1.0), [ints(3, 2, bound=6), (6, 4)]
    ),
    "scatter": function(
        lambda x, s: x.scatter(0, torch.tensor([[0, 2, 1], [3, 0, 4]]), s), [(5, 3), (2, 3)]
    ),
    "scatter of a number": function(lambda x: x.scatter(1, torch.tensor([[0], [2]]), 1.5), [(3, 4)]),
    "scatter of a larger source": function(lambda x, s: x.scatter(1, torch.tensor([[0], [2]]), s[:2, :1]), [(3, 4), (3, 2)]),
    "scatterAdd": function(
        lambda x, s: x.scatter_add(1, ints(4, 70, bound=5), s), [(4, 5), (4, 70)]
    ),
    "scatterAdd inside": function(
        lambda x, s: x.scatter_add(1, ints(2, 20, 3, bound=5), s), [(3, 5, 4), (2, 20, 3)]
    ),
    "indexAdd": function(lambda x, s: x.index_add(1, ints(9, bound=4), s), [(2, 4, 3), (2, 9, 3)]),
    "indexCopy": function(lambda x, s: x.index_copy(0, torch.tensor([4, 0, 2]), s), [(5, 3), (3, 3)]),
    "indexAdd of a scalar": function(lambda x, s: x.index_add(0, torch.tensor([0, 0]), s), [(), (2,)]),
}
write("indexing", cases)
