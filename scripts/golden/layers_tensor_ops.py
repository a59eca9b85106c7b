"""Writes test/golden/layers/tensor_ops.json and math.json. Run from the repository's root:
/usr/bin/python3 scripts/golden/layers_tensor_ops.py"""

import torch
from torch.nn import functional as F

from layers import function, write

i64, f64 = torch.int64, torch.float64
NAN, INF = float("nan"), float("inf")


def ints(*values):
    return torch.tensor(values, dtype=i64)


def floats(*values):
    return torch.tensor(values, dtype=f64)


cases = {}
for dim in (0, 1, 2):
    cases[f"cumsum along {dim}"] = function(lambda x: x.cumsum(dim), [(3, 5, 2)])
    cases[f"sort along {dim}"] = function(lambda x: x.sort(dim), [(3, 5, 2)])
cases |= {
    "cumsum of a long line": function(lambda x: x.cumsum(0), [(700,)]),
    "cumprod": function(lambda x: x.cumprod(1), [(3, 5)]),
    "cumprod with zeros": function(lambda x: x.cumprod(0), [floats(2, 3, 0, 4, 0, 5)]),
    "prod": function(lambda x: x.prod(), [(2, 3)]),
    "prod along 1, kept": function(lambda x: x.prod(1, keepdim=True), [(3, 4)]),
    "prod with a zero": function(lambda x: x.prod(0), [floats(2, 0, 3)]),
    "sort descending with NaN": function(
        lambda x: x.sort(stable=True, descending=True), [floats(1, NAN, -INF, 3, 1, INF, NAN, 0, -0.0)]
    ),
    "sort with NaN": function(lambda x: x.sort(stable=True), [floats(1, NAN, -INF, 3, 1, INF, NAN, -0.0, 0, 2)]),
    "sort of many": function(lambda x: x.sort(0), [(150, 2)]),
    "sort of integers": function(lambda x: x.sort(stable=True), [ints(3, -1, 2**31 - 1, 3, -(2**31), 0)]),
    "topk of 40": function(lambda x: x.topk(40), [(2, 50)]),
    "smallest 20 along 0": function(lambda x: x.topk(20, 0, largest=False), [(30, 2)]),
    "logsumexp": function(lambda x: x.logsumexp(1), [(3, 4)]),
    "logsumexp of two dimensions, kept": function(lambda x: x.logsumexp((0, 2), keepdim=True), [(3, 4, 2)]),
    "logsumexp with infinities": function(
        lambda x: x.logsumexp(1).detach(), [torch.tensor([[INF, 1], [-INF, -INF], [-INF, 2], [1000, 1000], [NAN, 1]], dtype=f64)]
    ),
    "maskedFill": function(lambda x: x.masked_fill(ints(1, 0, 1, 0).bool(), -2.0), [(3, 4)]),
    "maskedFill by a tensor": function(lambda x, v: x.masked_fill(ints(1, 0, 1, 0).bool(), v.sum()), [(3, 4), (1,)]),
    "tril": function(lambda x: x.tril(), [(2, 3, 4)]),
    "tril 1": function(lambda x: x.tril(1), [(4, 3)]),
    "triu -1": function(lambda x: x.triu(-1), [(4, 3)]),
    "triu 2": function(lambda x: x.triu(2), [(3, 4)]),
    "oneHot": function(lambda: F.one_hot(torch.tensor([[2, 0], [1, 2]]), 4), []),
    "roll": function(lambda x: x.roll(2), [(3, 4)]),
    "roll along dims": function(lambda x: x.roll((-1, 5), (0, 1)), [(3, 4)]),
    "repeat": function(lambda x: x.repeat(2, 1, 3), [(2, 3)]),
    "tile": function(lambda x: x.tile(2), [(2, 3)]),
    "repeatInterleave": function(lambda x: x.repeat_interleave(2, 1), [(2, 3)]),
    "repeatInterleave flattened": function(lambda x: x.repeat_interleave(3), [(2, 2)]),
    "repeatInterleave by a list": function(lambda x: x.repeat_interleave(ints(2, 0, 1), 1), [(2, 3, 2)]),
    "unbind": function(lambda x: x.unbind(1), [(2, 3)]),
    "meshgrid": function(lambda x, y: torch.meshgrid(x, y, indexing="ij"), [(3,), (2,)]),
    "meshgrid xy": function(lambda x, y, z: torch.meshgrid(x, y, z, indexing="xy"), [(3,), (2,), (2,)]),
    "takeAlongDim": function(lambda x: x.take_along_dim(ints(1, 0, 2).reshape(1, 3, 1), 1), [(2, 3, 2)]),
    "takeAlongDim flattened": function(lambda x: x.take_along_dim(ints(1, 0, 5)), [(2, 3)]),
    "diag of a vector": function(lambda x: x.diag(1), [(3,)]),
    "diag of a matrix": function(lambda x: x.diag(-1), [(3, 4)]),
    "diagonal": function(lambda x: x.diagonal(1, 2, 0), [(3, 2, 4)]),
    "diagonal beyond": function(lambda x: x.diagonal(9), [(3, 4)]),
    "diagEmbed": function(lambda x: torch.diag_embed(x, -1, 0, 2), [(2, 3)]),
    "trace": function(lambda x: x.trace(), [(3, 4)]),
    "outer": function(torch.outer, [(3,), (4,)]),
    "kron": function(torch.kron, [(2, 3), (2, 1, 2)]),
    "bmm": function(torch.bmm, [(2, 3, 4), (2, 4, 2)]),
    "mm": function(torch.mm, [(3, 4), (4, 2)]),
    "mv": function(torch.mv, [(3, 4), (4,)]),
    "dot": function(torch.dot, [(5,), (5,)]),
    "addmm": function(lambda c, a, b: torch.addmm(c, a, b, beta=0.5, alpha=2), [(2,), (3, 4), (4, 2)]),
    "baddbmm": function(torch.baddbmm, [(2, 3, 2), (2, 3, 4), (2, 4, 2)]),
    "addmm beta 0": function(
        lambda a, b: torch.addmm(torch.full((2,), NAN, dtype=f64), a, b, beta=0), [(3, 4), (4, 2)]
    ),
    "lerp": function(lambda a, b: torch.lerp(a, b, 0.25), [(3,), (2, 3)]),
    "lerp beyond half": function(lambda a, b: torch.lerp(a, b, 0.75), [(3,), (3,)]),
    "lerp by a tensor": function(torch.lerp, [(3,), (3,), (3,)]),
    "addcmul": function(lambda x, a, b: torch.addcmul(x, a, b, value=0.5), [(3,), (2, 1), (2, 3)]),
    "addcdiv": function(lambda x, a, b: torch.addcdiv(x, a, b, value=-2), [(3,), (3,), (3,)]),
    "sub of a number": function(lambda x: 1 - x, [(5,)]),
    "div of a number": function(lambda x: 1 / x, [(5,)]),
    "pow of a number": function(lambda x: 2**x, [(5,)]),
    "maximum of a number": function(lambda x: torch.maximum(torch.tensor(0.5, dtype=f64), x), [(5,)]),
    "linspace": function(lambda: [torch.linspace(-2, 3, n, dtype=f64) for n in (0, 1, 2, 7)], []),
    "eye": function(lambda: [torch.eye(3, dtype=f64), torch.eye(2, 4, dtype=f64)], []),
    "index": function(lambda x: x[ints(1, -1, 0, 1), ints(0, 2, -1, 0)], [(2, 3, 2)]),
    "index broadcast": function(lambda x: x[ints(1, 0).reshape(2, 1), ints(0, 2, 2)], [(2, 3)]),
    "index of the last": function(lambda x: x[:, :, ints(1, 1, 0)], [(2, 3, 2)]),
    "index in the middle": function(lambda x: x[:, torch.tensor([[2, 0], [1, 1]])], [(2, 3, 2)]),
    "index apart": function(lambda x: x[ints(1, 0), :, ints(0, 1)], [(2, 3, 2)]),
    "indexPut": function(
        lambda x, v: x.index_put((ints(1, 0), ints(2, -3)), v), [(2, 3), (2,)]
    ),
    "indexPut accumulated": function(
        lambda x, v: torch.ops.aten.index_put(x, [None, ints(1, 0, 1)], v, True), [(2, 3), (2, 3)]
    ),
    "indexPut of rows": function(lambda x, v: x.index_put((ints(1, 0),), v, accumulate=True), [(2, 3), (3,)]),
}
for equation, *shapes in [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 2)),
    ("bhid,bhjd->bhij", (2, 2, 3, 4), (2, 2, 5, 4)),
    ("ii", (3, 3)),
    ("ii->i", (3, 3)),
    ("iji->j", (3, 2, 3)),
    ("ij->ji", (2, 3)),
    ("ba", (2, 3)),
    ("ij->", (2, 3)),
    ("i,j->ij", (2,), (3,)),
    ("i,i->i", (3,), (3,)),
    ("...ij,...jk->...ik", (2, 1, 3, 4), (5, 4, 2)),
    ("...ij->...ji", (2, 3, 4)),
    ("i...,i...->...", (2, 3), (2, 3)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    ("bn,anm,bm->ba", (2, 5), (3, 5, 4), (2, 4)),
    ("ij,ij->", (2, 3), (2, 3)),
    ("ij,kj->ik", (2, 1), (3, 4)),
    (" a b , b -> a ", (2, 3), (3,)),
    ("Ab,bA->bA", (2, 3), (3, 2)),
    ("ijk,k", (2, 3, 4), (4,)),
]:
    cases["einsum " + equation] = function(lambda *xs: torch.einsum(equation, *xs), shapes)
write("tensor_ops", cases)

# At special numbers, and elsewhere.
around = floats(-2.5, -1, -0.75, -0.5, -0.3, -1e-3, -0.0, 0.0, 1e-3, 0.2, 0.45, 0.55, 0.9, 1, 1.5, 3, 20, NAN, INF, -INF)
unary = {name: getattr(torch, name) for name in "log1p expm1 log2 log10 exp2 tan asin acos atan sinh cosh erfc".split()}
math = {name: function(f, [around]) for name, f in unary.items()}
math["trunc"] = function(lambda x: x.trunc(), [around])
for name in ("isnan", "isinf", "isfinite"):
    math[name] = function(lambda x: getattr(torch, name)(x).long(), [around])

special = [-INF, -2.5, -1, -0.0, 0.0, 0.5, 2, 7, INF, NAN]
a, b = (floats(*special).reshape(-1, 1), floats(*special).reshape(1, -1))
binary = {
    "atan2": torch.atan2,
    "fmod": torch.fmod,
    "remainder": torch.remainder,
    "floorDivide": lambda a, b: torch.div(a, b, rounding_mode="floor"),
    "divTrunc": lambda a, b: torch.div(a, b, rounding_mode="trunc"),
}
for name, f in binary.items():
    math[name + " of special numbers"] = function(lambda a, b: f(a, b).detach(), [a, b])
    math[name] = function(f, [floats(5.5, -5.5, 5.5, -5.5, 0.25, 1e8, 3, -6), floats(2, 2, -2, -2, 3, 7, 3, 4)])
    if name == "atan2":
        continue
    whole = [ints(7, -7, 7, -7, 0, 6, -6), ints(2, 2, -2, -2, 3, 3, 3)]
    math[name + " of integers"] = function(f, whole)
logical = [floats(0, -0.0, 1, NAN), floats(0, 2, 0, 3)]
for name in ("and", "or", "xor"):
    math["logical " + name] = function(lambda a, b: getattr(torch, "logical_" + name)(a, b).long(), logical)
math["logical not"] = function(lambda a: torch.logical_not(a).long(), logical[:1])
write("math", math)
