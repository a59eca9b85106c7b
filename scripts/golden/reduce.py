"""Golden vectors of reductions, topk and gather in float64:
python3 scripts/golden/reduce.py > test/golden/reduce.json

Needs PyTorch (Debian: python3-torch). Inputs come from a formula, so that only the results are stored; some repeat
values, for ties.
"""
import json

import torch


def values(shape, period):
    n = 1
    for d in shape:
        n *= d
    i = torch.arange(n, dtype=torch.float64)
    return ((i * 37 + 11) % period / 8 - 1).reshape(shape)


def run(f, shape, period, **attrs):
    x = values(shape, period).requires_grad_()
    y = f(x)
    weights = values(list(y.shape), 29)
    (dx,) = torch.autograd.grad((y * weights).sum(), x)
    return {"shape": shape, "period": period, **attrs, "yShape": list(y.shape), "y": y.flatten().tolist(), "dx": dx.flatten().tolist()}


cases = []
for op, f in [
    ("sum", lambda x, d, k: x.sum(d, keepdim=k)),
    ("mean", lambda x, d, k: x.mean(d, keepdim=k)),
    ("max", lambda x, d, k: x.amax(d, keepdim=k)),
    ("min", lambda x, d, k: x.amin(d, keepdim=k)),
    ("var", lambda x, d, k: x.var(d, unbiased=True, keepdim=k)),
    ("std", lambda x, d, k: x.std(d, unbiased=True, keepdim=k)),
    ("norm", lambda x, d, k: torch.linalg.vector_norm(x, dim=d, keepdim=k)),
]:
    for shape, period, dims, keepdim in [
        ([3, 4], 7, [1], False), ([3, 4], 7, [0], True), ([2, 3, 4], 5, [0, 2], False), ([2, 3, 4], 5, [0, 1, 2], False),
    ]:
        cases.append(run(lambda x: f(x, dims, keepdim), shape, period, op=op, dims=dims, keepdim=keepdim))
cases.append(run(lambda x: x.var(1, unbiased=False), [3, 4], 7, op="var", dims=[1], keepdim=False, correction=0))

arg = []
for shape, period, dim in [([3, 5], 4, 1), ([3, 5], 4, 0), ([2, 3, 4], 5, 1)]:
    x = values(shape, period)
    # PyTorch promises no position among equal values: the first one, found by hand.
    first = lambda best: (x == best).to(torch.int64).argmax(dim).flatten().tolist()
    arg.append({"shape": shape, "period": period, "dim": dim, "argmax": first(x.amax(dim, keepdim=True)), "argmin": first(x.amin(dim, keepdim=True))})

topk = []
for shape, k, dim, largest in [([3, 7], 3, 1, True), ([3, 7], 2, 0, True), ([2, 5, 3], 4, 1, False)]:
    x = values(shape, 101).requires_grad_()  # distinct values
    y, i = x.topk(k, dim, largest)
    (dx,) = torch.autograd.grad((y * values(list(y.shape), 29)).sum(), x)
    topk.append({"shape": shape, "k": k, "dim": dim, "largest": largest, "yShape": list(y.shape), "y": y.flatten().tolist(), "indices": i.flatten().tolist(), "dx": dx.flatten().tolist()})

gather = []
for shape, dim, index in [
    ([3, 4], 1, [[0, 0], [3, 1], [2, 2]]), ([3, 4], 0, [[2, 0, 1, 2], [2, 2, 2, 2]]), ([4, 2, 2], 0, [[[3, 0], [1, 3]]]), ([3, 4], 1, [[1], [2]]),
]:
    x = values(shape, 31).requires_grad_()
    y = x.gather(dim, torch.tensor(index))
    (dx,) = torch.autograd.grad((y * values(list(y.shape), 29)).sum(), x)
    gather.append({"shape": shape, "dim": dim, "index": index, "yShape": list(y.shape), "y": y.flatten().tolist(), "dx": dx.flatten().tolist()})
print(json.dumps({"cases": cases, "arg": arg, "topk": topk, "gather": gather}))
