"""Writes test/golden/norm_pool_loss.json: normalisation, pooling, softmax and losses from PyTorch, in float64.

Inputs come from `values`, which test/ops/norm_pool_loss.test.ts repeats; the file holds their numbers and the results.
Needs torch 1.13 (Debian: apt install python3-torch). Run from the repository's root:
/usr/bin/python3 scripts/golden/norm_pool_loss.py
"""

import json
import math
import os

import torch
import torch.nn.functional as F

OUT = os.path.join(os.path.dirname(__file__), "..", "..", "test", "golden", "norm_pool_loss.json")


def values(shape, k, low=-2.0, high=2.0, distinct=2003):
    n = math.prod(shape)
    data = [low + (high - low) * ((i * 7919 + k * 31337 + 17) % distinct) / distinct for i in range(n)]
    return torch.tensor(data, dtype=torch.float64).reshape(shape)


def labels(shape, k, classes, ignore=None):
    n = math.prod(shape)
    data = [(i * 7 + k * 3 + 1) % classes for i in range(n)]
    if ignore is not None:
        data = [ignore if i % 5 == 3 else v for i, v in enumerate(data)]
    return torch.tensor(data).reshape(shape)


def flat(t):
    return [float(f"{x:.12g}") for x in t.detach().reshape(-1).tolist()]


def run(name, kind, args, tensors, f):
    """f(*tensors) with the gradients of those that require one; the output's gradient is values(shape, 99)."""
    y = f(*tensors.values())
    dy = values(list(y.shape), 99) if y.dim() else torch.tensor(1.5, dtype=torch.float64)
    y.backward(dy)
    grads = {key: flat(t.grad) for key, t in tensors.items() if t is not None and t.grad is not None}
    return {"name": name, "kind": kind, **args, "outShape": list(y.shape), "y": flat(y), "grads": grads}


def leaf(*args, **kwargs):
    return values(*args, **kwargs).requires_grad_()


def batch_norm(name, shape, affine=True, training=True, residual=False, relu=False, eps=1e-5, momentum=0.1):
    c = [shape[1]]
    mean, var = values(c, 5), values(c, 6, 0.5, 2.0)
    tensors = {"x": leaf(shape, 1)}
    if affine:
        tensors |= {"weight": leaf(c, 2, 0.5, 1.5), "bias": leaf(c, 3)}
    if residual:
        tensors |= {"residual": leaf(shape, 4)}

    def f(x, *rest):
        w, b = rest[:2] if affine else (None, None)
        y = F.batch_norm(x, mean, var, w, b, training, momentum, eps)
        if residual:
            y = y + rest[-1]
        return F.relu(y) if relu else y

    args = {"shape": shape, "affine": affine, "training": training, "residual": residual, "relu": relu, "eps": eps}
    case = run(name, "batchNorm", args, tensors, f)
    return {**case, "momentum": momentum, "runningMean": flat(mean), "runningVar": flat(var)}


def layer_norm(name, shape, normalized, affine, eps=1e-5):
    tensors = {"x": leaf(shape, 1)}
    if affine:
        tensors |= {"weight": leaf(normalized, 2, 0.5, 1.5), "bias": leaf(normalized, 3)}
    args = {"shape": shape, "normalized": normalized, "affine": affine, "eps": eps}
    return run(name, "layerNorm", args, tensors, lambda x, w=None, b=None: F.layer_norm(x, normalized, w, b, eps))


def max_pool(name, shape, distinct=2003, **o):
    f = lambda x: F.max_pool2d(x, o["kernel"], o["stride"], o["padding"], o["dilation"], o["ceilMode"])
    return run(name, "maxPool2d", {"shape": shape, "distinct": distinct, "options": o}, {"x": leaf(shape, 1, distinct=distinct)}, f)


def avg_pool(name, shape, **o):
    f = lambda x: F.avg_pool2d(x, o["kernel"], o["stride"], o["padding"], o["ceilMode"], o["countIncludePad"])
    return run(name, "avgPool2d", {"shape": shape, "options": o}, {"x": leaf(shape, 1)}, f)


def adaptive(name, shape, out):
    return run(name, "adaptiveAvgPool2d", {"shape": shape, "out": out}, {"x": leaf(shape, 1)}, lambda x: F.adaptive_avg_pool2d(x, out))


def softmax(name, kind, shape, dim, span=2.0):
    f = F.softmax if kind == "softmax" else F.log_softmax
    return run(name, kind, {"shape": shape, "dim": dim, "span": span}, {"x": leaf(shape, 1, -span, span)}, lambda x: f(x, dim))


def cross_entropy(name, shape, target="labels", reduction="mean", smoothing=0.0, weighted=False, ignore=-100, span=2.0):
    classes = shape[1] if len(shape) > 1 else shape[0]
    samples = shape[:1] + shape[2:] if len(shape) > 1 else []
    tensors = {"x": leaf(shape, 1, -span, span)}
    if target == "probabilities":
        raw = values(shape, 2)
        tensors |= {"target": F.softmax(raw, 1 if len(shape) > 1 else 0).requires_grad_()}
    else:
        t = labels(samples, 2, classes, ignore)
    weight = values([classes], 3, 0.2, 2.0) if weighted else None

    def f(x, p=None):
        y = t if p is None else p
        return F.cross_entropy(x, y, weight, ignore_index=ignore, reduction=reduction, label_smoothing=smoothing)

    args = {"shape": shape, "target": target, "reduction": reduction, "smoothing": smoothing, "weighted": weighted, "ignore": ignore, "span": span}
    return run(name, "crossEntropy", args, tensors, f)


def nll(name, shape, reduction, weighted):
    weight = values([shape[1]], 3, 0.2, 2.0) if weighted else None
    t = labels(shape[:1] + shape[2:], 2, shape[1], -100)
    args = {"shape": shape, "reduction": reduction, "weighted": weighted}
    return run(name, "nllLoss", args, {"x": leaf(shape, 1)}, lambda x: F.nll_loss(x, t, weight, reduction=reduction))


def pointwise(kind, reduction):
    f = {
        "mseLoss": F.mse_loss,
        "l1Loss": F.l1_loss,
        "smoothL1Loss": lambda x, t, reduction: F.smooth_l1_loss(x, t, reduction=reduction, beta=0.5),
        "binaryCrossEntropyWithLogits": F.binary_cross_entropy_with_logits,
    }[kind]
    tensors = {"x": leaf([3, 4], 1), "target": leaf([3, 4], 2, 0.0, 1.0)}
    return run(f"{kind} {reduction}", kind, {"shape": [3, 4], "reduction": reduction}, tensors, lambda x, t: f(x, t, reduction=reduction))


cases = [
    batch_norm("training", [4, 3, 2, 5]),
    batch_norm("training, 2d, no affine", [6, 3], affine=False, momentum=0.3),
    batch_norm("evaluation", [4, 3, 2, 5], training=False, eps=1e-3),
    batch_norm("training, relu", [3, 2, 3, 3], relu=True),
    batch_norm("training, residual, relu", [3, 2, 3, 3], residual=True, relu=True),
    batch_norm("evaluation, residual, relu", [3, 2, 3, 3], training=False, residual=True, relu=True),
    layer_norm("affine", [3, 4, 5], [5], True),
    layer_norm("two dimensions, plain", [3, 4, 5], [4, 5], False, 1e-3),
    max_pool("3x3 stride 2 padding 1", [2, 2, 7, 8], kernel=[3, 3], stride=[2, 2], padding=[1, 1], dilation=[1, 1], ceilMode=False),
    max_pool("ties", [1, 2, 6, 6], distinct=4, kernel=[3, 3], stride=[2, 2], padding=[1, 1], dilation=[1, 1], ceilMode=False),
    max_pool("dilated", [1, 2, 7, 8], kernel=[2, 3], stride=[1, 2], padding=[1, 1], dilation=[2, 2], ceilMode=False),
    max_pool("ceil mode", [1, 1, 6, 7], kernel=[2, 3], stride=[3, 2], padding=[1, 1], dilation=[1, 1], ceilMode=True),
    avg_pool("2x2", [1, 2, 5, 6], kernel=[2, 2], stride=[2, 2], padding=[0, 0], ceilMode=False, countIncludePad=True),
    avg_pool("padding counts, ceil mode", [1, 2, 6, 7], kernel=[3, 2], stride=[2, 3], padding=[1, 1], ceilMode=True, countIncludePad=True),
    avg_pool("padding does not count, ceil mode", [1, 2, 6, 7], kernel=[3, 2], stride=[2, 3], padding=[1, 1], ceilMode=True, countIncludePad=False),
    adaptive("3x3 to 6x6", [1, 2, 3, 3], [6, 6]),
    adaptive("7x5 to 3x2", [1, 2, 7, 5], [3, 2]),
    adaptive("to one", [2, 3, 4, 4], [1, 1]),
    softmax("last", "softmax", [3, 5], 1),
    softmax("middle", "softmax", [2, 4, 3], 1, 60.0),
    softmax("last", "logSoftmax", [3, 5], 1),
    softmax("first", "logSoftmax", [4, 3], 0, 60.0),
    cross_entropy("mean", [8, 5]),
    cross_entropy("large logits", [8, 5], span=60.0),
    cross_entropy("sum, smoothing", [8, 5], reduction="sum", smoothing=0.1),
    cross_entropy("none, weighted, smoothing", [8, 5], reduction="none", smoothing=0.2, weighted=True),
    cross_entropy("mean, weighted, smoothing, ignored", [9, 4], smoothing=0.1, weighted=True, ignore=2),
    cross_entropy("images", [2, 4, 3, 3], weighted=True, smoothing=0.1),
    cross_entropy("one sample", [6]),
    cross_entropy("probabilities", [6, 4], target="probabilities"),
    cross_entropy("probabilities, weighted, smoothing, none", [2, 4, 3], target="probabilities", reduction="none", smoothing=0.1, weighted=True),
    cross_entropy("probabilities, weighted, mean", [6, 4], target="probabilities", weighted=True, smoothing=0.3),
    nll("mean", [7, 4], "mean", True),
    nll("none", [3, 4, 2], "none", False),
    *(pointwise(kind, reduction) for kind, reduction in [
        ("mseLoss", "mean"), ("l1Loss", "sum"), ("smoothL1Loss", "none"), ("binaryCrossEntropyWithLogits", "mean"),
    ]),
]

kinds = list(dict.fromkeys(c["kind"] for c in cases))
with open(OUT, "w") as f:
    groups = [f'"{k}": [\n' + ",\n".join(json.dumps(c) for c in cases if c["kind"] == k) + "\n]" for k in kinds]
    f.write("{\n" + ",\n".join(groups) + "\n}\n")
