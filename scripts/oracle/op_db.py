"""Writes what PyTorch computes on its own test samples, for every operation that wgrad has, as a file that
scripts/oracle/replay.ts runs through the library's public names.

Samples come from `torch.testing._internal.common_methods_invocations.op_db` (its sample and reference inputs, f32),
from the functional forms in `common_nn`'s module tests, and from lists of our own: every pair of special numbers (NaN,
infinities, both zeros, ties, huge and tiny numbers) for elementwise functions, and each sample again with such numbers
put into its inputs. Gradients are taken for a plain output gradient and for one that holds special numbers.

Needs torch 1.13 and scipy (Debian: apt install python3-torch python3-scipy). From the repository's root:
  /usr/bin/python3 scripts/oracle/op_db.py OUT.json           all cases, some MB
  node scripts/run.mjs scripts/oracle/replay.ts OUT.json       replays them, prints every disagreement
  /usr/bin/python3 scripts/oracle/op_db.py --golden            the part that `npm test` replays, test/golden/op_db.json
"""

import base64
import contextlib
import itertools
import json
import math
import os
import sys
import types
import unittest
import warnings

try:
    import expecttest  # noqa: F401
except ImportError:
    # Only imported by torch's test utilities, not needed for the samples.
    stub = types.ModuleType("expecttest")
    stub.ACCEPT = False
    stub.TestCase = unittest.TestCase
    sys.modules["expecttest"] = stub

import torch
import torch.nn.functional as F
from torch.testing._internal import common_nn
from torch.testing._internal.common_methods_invocations import op_db

warnings.filterwarnings("ignore")
GOLDEN = os.path.join(os.path.dirname(__file__), "..", "..", "test", "golden", "op_db.json")
NAN, INF = math.nan, math.inf
SPECIAL = [NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 2.0, -3.0, 0.5, -0.5, 1e-30, -1e-30, 3e38, -3e38, 100.0, -100.0]
# Where sums of squares are taken PyTorch has f64 on its side: without those that overflow or vanish in f32.
MODEST = [x for x in SPECIAL if x == 0 or 1e-18 < abs(x) < 1e18 or not math.isfinite(x)]
# More than one of the numbers where formulas change branch, and those where they lose digits.
POINTS = SPECIAL + [3.0, -2.0, 6.0, 20.0, 20.5, 1e-4, -1e-4, 0.01, 9.0, -9.0, 87.0, -87.0, 17.3, -17.3, 2.5, 1.5, -2.5,
                    33.0, -5.5, 0.3, -0.3]
GRADIENTS = [1.0, INF, 0.0, -INF, NAN, -2.0]


class Unsupported(Exception):
    """This sample uses an argument that the library does not have."""


# ---- calls: how an operation of op_db is spelt in the library ----------------------------------------------------------


def method(name):
    return lambda x, *args: ["method", name, x, *args]


def functional(name):
    return lambda *args: ["functional", name, *args]


def top(name):
    return lambda *args: ["top", name, *args]


def only(kwargs, *names):
    """No other keyword than these is given."""
    extra = [k for k, v in kwargs.items() if k not in names and v is not None]
    if extra:
        raise Unsupported(extra)


def tensor_first(x):
    if not isinstance(x, torch.Tensor):
        raise Unsupported("a number first")
    return x


def plain(call):
    """Positional arguments as they are."""

    def translate(x, *args, **kwargs):
        only(kwargs)
        return call(tensor_first(x), *args)

    return translate


def options(**given):
    return {k: v for k, v in given.items() if v is not None}


def binary(name):
    def translate(x, other, rounding_mode=None, alpha=1):
        if rounding_mode is not None or alpha != 1:
            raise Unsupported("rounding_mode, alpha")
        tensor_first(x)
        if isinstance(other, torch.Tensor) and other.dtype != x.dtype:
            raise Unsupported("promotion")
        if isinstance(other, (bool, complex)):
            raise Unsupported("promotion")
        return method(name)(x, other)

    return translate


def clamp(x, min=None, max=None):
    for bound in (min, max):
        if isinstance(bound, (torch.Tensor, bool)):
            raise Unsupported("bounds are tensors")
    if min is None and max is None:
        raise Unsupported("no bound")
    return method("clamp")(x, options(min=min, max=max))


def reduction(name):
    def translate(x, dim=None, keepdim=False, dtype=None):
        if dtype not in (None, torch.float32):
            raise Unsupported("dtype")
        return method(name)(x, dim, {"keepdim": keepdim})

    return translate


def variance(name):
    def translate(x, dim=None, unbiased=True, keepdim=False, correction=None):
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        c = int(unbiased) if correction is None else correction
        return method(name)(x, dim, {"keepdim": keepdim, "correction": c})

    return translate


def norm(x, ord=2, dim=None, keepdim=False, dtype=None):
    if ord not in (2, None, "fro") or dtype is not None:
        raise Unsupported("ord")
    return method("norm")(x, dim, {"keepdim": keepdim})


def softmax(name):
    def translate(x, dim, dtype=None):
        if dtype not in (None, torch.float32):
            raise Unsupported("dtype")
        return method(name)(x, dim)

    return translate


def arg_extreme(name):
    def translate(x, dim=None, keepdim=False):
        if dim is None:
            return method(name)(x)
        return method(name)(x, dim, {"keepdim": keepdim})

    return translate


def topk(x, k, dim=-1, largest=True, sorted=True):
    rows = x.detach().movedim(dim, -1) if x.dim() else x.detach().reshape(1)
    rows = rows.sort(-1).values
    if rows.shape[-1] > 1 and bool(((rows[..., 1:] == rows[..., :-1]) | rows[..., :-1].isnan()).any()):
        raise Unsupported("ties, whose order PyTorch leaves open")
    return method("topk")(x, k, dim, largest)


def sizes(name):
    def translate(x, *args):
        shape = list(args[0]) if len(args) == 1 and not isinstance(args[0], int) else list(args)
        return method(name)(x, shape)

    return translate


def squeeze(x, dim=None):
    return method("squeeze")(x, dim)


def split(x, size, dim=0):
    return method("split")(x, size, dim)


def chunk(x, chunks, dim=0):
    return method("chunk")(x, chunks, dim)


def pad(x, pad, mode="constant", value=None):
    if mode != "constant":
        raise Unsupported("mode")
    return functional("pad")(x, list(pad), value or 0)


def index_select(x, dim, index):
    if index.dim() == 0:
        raise Unsupported("scalar index")
    return method("indexSelect")(x, dim, index)


def gather(x, dim, index, sparse_grad=False):
    return method("gather")(x, dim, index)


def cat(tensors, dim=0):
    if any(t.dtype != torch.float32 for t in tensors):
        raise Unsupported("promotion")
    if any(t.shape == (0,) for t in tensors) and any(t.dim() > 1 for t in tensors):
        raise Unsupported("empty tensors of another rank, which PyTorch has from earlier versions")
    return top("cat")(list(tensors), dim)


def where_of(x, condition, other):
    """op_db's function is x.where(condition, other)."""
    if not isinstance(other, torch.Tensor) or other.dtype != x.dtype:
        raise Unsupported("promotion")
    return top("where")(condition, x, other)


def embedding_free(name):
    raise Unsupported(name)


def scalar_weight(w):
    if w is not None and not isinstance(w, torch.Tensor):
        raise Unsupported("weight")
    return w


def batch_norm(x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    if x.numel() == 0:
        raise Unsupported("empty")
    return functional("batchNorm")(
        x, running_mean, running_var, weight, bias, {"training": training, "momentum": momentum, "eps": eps}
    )


def layer_norm(x, normalized_shape, weight=None, bias=None, eps=1e-5):
    if math.prod(normalized_shape) == 1:
        raise Unsupported("rows of one element: x - mean is rounding alone")
    return functional("layerNorm")(x, list(normalized_shape), weight, bias, eps)


def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if x.dim() != 4 or isinstance(padding, str):
        raise Unsupported("padding by name, no batch")
    return functional("conv2d")(
        x, weight, bias, {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    )


def linear(x, weight, bias=None):
    if weight.dim() != 2:
        raise Unsupported("weight of one dimension")
    return functional("linear")(x, weight, bias)


def matmul(x, other):
    return method("matmul")(x, other)


def element_loss(name):
    def translate(x, target, reduction="mean", size_average=None, reduce=None, weight=None, **rest):
        if weight is not None or size_average is not None or reduce is not None or rest.get("pos_weight") is not None:
            raise Unsupported("weight")
        if x.shape != target.shape:
            raise Unsupported("broadcasting losses")
        kwargs = {k: v for k, v in rest.items() if v is not None}
        return functional(name)(x, target, {"reduction": reduction, **kwargs})

    return translate


def cross_entropy(
    x, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean", label_smoothing=0.0
):
    return functional("crossEntropy")(
        x, target, options(weight=weight, ignoreIndex=ignore_index, reduction=reduction, labelSmoothing=label_smoothing)
    )


def nll_loss(x, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
    return functional("nllLoss")(
        x, target, options(weight=weight, ignoreIndex=ignore_index, reduction=reduction)
    )


def narrow(x, dim, start, length):
    if isinstance(start, torch.Tensor):
        raise Unsupported("start is a tensor")
    return method("narrow")(x, dim, start, length)


def single(size):
    """A list of one size is that size."""
    return size[0] if isinstance(size, (list, tuple)) and len(size) == 1 else size


def max_pool(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    if return_indices:
        raise Unsupported("return_indices")
    return functional("maxPool2d")(
        x, kernel_size, options(stride=stride or None, padding=padding, dilation=dilation, ceilMode=ceil_mode)
    )


def avg_pool(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
    if divisor_override is not None:
        raise Unsupported("divisor_override")
    return functional("avgPool2d")(
        x, single(kernel_size), options(stride=single(stride) or None, padding=single(padding), ceilMode=ceil_mode,
                                countIncludePad=count_include_pad)
    )


def adaptive_pool(x, output_size):
    return functional("adaptiveAvgPool2d")(x, output_size)


def activation(name, *scalars):
    """`scalars`: names and defaults of numbers that follow the tensor."""

    def translate(x, *args, inplace=False, **kwargs):
        if inplace:
            raise Unsupported("inplace")
        values = [args[i] if i < len(args) else kwargs.pop(k, d) for i, (k, d) in enumerate(scalars)]
        only(kwargs)
        return functional(name)(x, *values)

    return translate


def gelu(x, approximate="none"):
    if approximate != "none":
        raise Unsupported("approximate")
    return functional("gelu")(x)


def rounding(x, decimals=0):
    if decimals:
        raise Unsupported("decimals")
    return method("round")(x)


UNARY = ["abs", "ceil", "cos", "erf", "exp", "floor", "log", "neg", "reciprocal", "rsqrt", "sigmoid", "sign", "sin",
         "sqrt", "square", "tanh"]
BINARY = {"add": "add", "sub": "sub", "mul": "mul", "div": "div", "pow": "pow", "maximum": "maximum",
          "minimum": "minimum", "eq": "eq", "ne": "ne", "lt": "lt", "le": "le", "gt": "gt", "ge": "ge"}
ACTIVATIONS = {
    "nn.functional.relu": activation("relu"),
    "nn.functional.relu6": activation("relu6"),
    "nn.functional.hardsigmoid": activation("hardsigmoid"),
    "nn.functional.hardswish": activation("hardswish"),
    "nn.functional.silu": activation("silu"),
    "nn.functional.gelu": gelu,
    "nn.functional.softplus": activation("softplus", ("beta", 1), ("threshold", 20)),
    "nn.functional.elu": activation("elu", ("alpha", 1)),
    "nn.functional.leaky_relu": activation("leakyRelu", ("negative_slope", 0.01)),
    "sigmoid": activation("sigmoid"),
    "tanh": activation("tanh"),
}
CALLS = {
    **{name: plain(method(name)) for name in UNARY},
    **{torch_name: binary(name) for torch_name, name in BINARY.items()},
    **{name: f for name, f in ACTIVATIONS.items() if name.startswith("nn.")},
    "round": rounding,
    "clamp": clamp,
    "sum": reduction("sum"),
    "mean": reduction("mean"),
    "amax": reduction("max"),
    "amin": reduction("min"),
    "all": reduction("all"),
    "any": reduction("any"),
    "var": variance("var"),
    "std": variance("std"),
    "linalg.vector_norm": norm,
    "softmax": softmax("softmax"),
    "log_softmax": softmax("logSoftmax"),
    "argmax": arg_extreme("argmax"),
    "argmin": arg_extreme("argmin"),
    "topk": topk,
    "matmul": matmul,
    "mm": matmul,
    "bmm": matmul,
    "mv": matmul,
    "dot": matmul,
    "reshape": sizes("reshape"),
    "view": sizes("view"),
    "expand": sizes("expand"),
    "broadcast_to": sizes("broadcastTo"),
    "permute": sizes("permute"),
    "flatten": plain(method("flatten")),
    "squeeze": squeeze,
    "unsqueeze": plain(method("unsqueeze")),
    "transpose": plain(method("transpose")),
    "t": plain(method("t")),
    "select": plain(method("select")),
    "narrow": narrow,
    "split": split,
    "split_with_sizes": split,
    "chunk": chunk,
    "flip": lambda x, dims: method("flip")(x, list(dims)),
    "nn.functional.pad": pad,
    "gather": gather,
    "index_select": index_select,
    "clone": plain(method("clone")),
    "contiguous": plain(method("contiguous")),
    "cat": cat,
    "stack": lambda tensors, dim=0: top("stack")(list(tensors), dim),
    "where": where_of,
    "nn.functional.batch_norm": batch_norm,
    "nn.functional.layer_norm": layer_norm,
    "nn.functional.conv2d": conv2d,
    "nn.functional.linear": linear,
    "nn.functional.l1_loss": element_loss("l1Loss"),
    "nn.functional.mse_loss": element_loss("mseLoss"),
    "nn.functional.smooth_l1_loss": element_loss("smoothL1Loss"),
    "nn.functional.binary_cross_entropy_with_logits": element_loss("binaryCrossEntropyWithLogits"),
    "nn.functional.cross_entropy": cross_entropy,
    "nn.functional.nll_loss": nll_loss,
    "nn.functional.max_pool2d": max_pool,
    "nn.functional.avg_pool2d": avg_pool,
    "nn.functional.adaptive_avg_pool2d": adaptive_pool,
}
# Of these PyTorch's vectorised and scalar kernels differ at special numbers: all elements go through the former.
VECTORISED = {*UNARY, *ACTIVATIONS}
# Where values of one input may not be replaced: a special number there is an error or leaves the samples' domain.
KEEP = {"nn.functional.batch_norm": {1, 2}, "nn.functional.conv2d": {1}}
# Where 1 - y^2 is a matter of y's last bit, which is not the same in any two implementations.
SATURATING = {"tanh": (7.5, 10.0)}


# ---- samples -----------------------------------------------------------------------------------------------------------


def walk(value, f):
    """`value` with every tensor replaced by f(tensor)."""
    if isinstance(value, torch.Tensor):
        return f(value)
    if isinstance(value, (list, tuple)):
        return [walk(v, f) for v in value]
    if isinstance(value, dict):
        return {k: walk(v, f) for k, v in value.items()}
    return value


def tensors_in(value):
    found = []
    walk(value, lambda t: found.append(t) or t)
    return found


def copy_leaf(t):
    return t.detach().clone(memory_format=torch.contiguous_format).requires_grad_(t.requires_grad)


def injected(args, kwargs, shift, keep):
    """Every float tensor of a sample with a special number at each third of its places, others from sample to sample."""
    count = itertools.count()

    def replace(t):
        which = next(count)
        if t.dtype != torch.float32 or t.numel() == 0 or which in keep:
            return t
        flat = t.detach().clone().reshape(-1)
        for i in range((shift + which) % 3, flat.numel(), 3 + shift % 4):
            flat[i] = SPECIAL[(i // 3 + shift + 5 * which) % 8]
        return flat.reshape(t.shape).requires_grad_(t.requires_grad)

    return walk(list(args), replace), walk(kwargs, replace)


def leaf(values):
    return torch.tensor(values, dtype=torch.float32).requires_grad_()


def own_samples(name, golden):
    """Special numbers through elementwise functions, in every pair; rows of them through reductions."""
    squares = name in ("var", "std", "nn.functional.batch_norm", "nn.functional.layer_norm", "nn.functional.mse_loss")
    numbers = MODEST if squares else SPECIAL
    if golden:
        numbers = numbers[:11]
    pairs = list(itertools.product(numbers, numbers))
    a, b = leaf([p[0] for p in pairs]), leaf([p[1] for p in pairs])
    rows = [[NAN, 1, 2], [INF, 1, 2], [-INF, 1, 2], [-INF] * 3, [INF] * 3, [INF, -INF, 0], [NAN, INF, 1], [0.0, -0.0, 0.0],
            [-0.0, -0.0, -0.0], [2, 2, 2], [1, 2, 2], [3e38, 3e38, 1], [-3e38, -3e38, 1], [1e-30, 0, 0], [-INF, NAN, -INF],
            [INF, INF, 1], [0, 0, 0], [1e-25, 1e-25, 1e-25], [1e25, 1e25, 1]]
    if squares:
        rows = [row for row in rows if all(x == 0 or 1e-18 < abs(x) < 1e18 or not math.isfinite(x) for x in row)]
    if name in UNARY or name in ACTIVATIONS or name == "round":
        yield [leaf(POINTS)], {}
    if name == "nn.functional.softplus":
        yield [leaf(POINTS), 0.5, 3.0], {}
    if name == "nn.functional.elu":
        yield [leaf(POINTS), 0.3], {}
    if name == "nn.functional.leaky_relu":
        for slope in (0.0, -0.5, 2.0):
            yield [leaf(POINTS), slope], {}
    if name == "clamp":
        for low, high in ((0.0, 1.0), (None, 1.0), (-0.5, None), (1.0, -1.0), (NAN, 1.0), (-INF, INF), (0.0, NAN)):
            yield [leaf(POINTS)], {"min": low, "max": high}
    if name in BINARY:
        yield [a, b], {}
        for number in numbers:
            yield [leaf(numbers), number], {}
    if name == "where":
        yield [a, torch.tensor([i % 2 == 0 for i in range(len(pairs))]), b], {}
    if name in ("sum", "mean", "amax", "amin", "var", "std", "linalg.vector_norm", "softmax", "log_softmax", "argmax", "argmin",
                "all", "any"):
        if name == "linalg.vector_norm":
            yield [leaf(rows), 2, 1], {}
        else:
            yield [leaf(rows)], {"dim": 1}
    if name == "topk":
        yield [leaf(rows), 2], {}
        yield [leaf(rows), 3, 1, False], {}
    targets = torch.arange(len(rows)) % 3
    if name == "nn.functional.cross_entropy":
        for reduction in ("none", "mean", "sum"):
            yield [leaf(rows), targets], {"reduction": reduction}
            yield [leaf(rows), targets], {"reduction": reduction, "label_smoothing": 0.1}
            yield [leaf(rows), targets], {"reduction": reduction, "weight": torch.tensor([0.0, 1.0, 2.0])}
        yield [leaf(rows), torch.full((len(rows),), -100)], {}
        yield [leaf(rows), torch.softmax(torch.arange(3.0), 0).repeat(len(rows), 1)], {"reduction": "none"}
        yield [leaf(rows), torch.eye(3)[targets]], {"reduction": "none"}
        yield [leaf([[1.0, 2, 3], [3, 2, 1]]), torch.tensor([0, 1])], {"weight": torch.tensor([0.0, 0.0, 0.0])}
    if name == "nn.functional.nll_loss":
        for reduction in ("none", "mean", "sum"):
            yield [leaf(rows), targets], {"reduction": reduction}
            yield [leaf(rows), targets], {"reduction": reduction, "weight": torch.tensor([0.0, 1.0, INF])}
        yield [leaf(rows), torch.full((len(rows),), -100)], {}
    if name in ("nn.functional.l1_loss", "nn.functional.mse_loss", "nn.functional.smooth_l1_loss"):
        for reduction in ("none", "mean", "sum"):
            yield [a, b], {"reduction": reduction}
        if "smooth" in name:
            for beta in (0.5, 2.0):
                yield [a, b], {"reduction": "none", "beta": beta}
    if name == "nn.functional.binary_cross_entropy_with_logits":
        for reduction in ("none", "mean", "sum"):
            yield [a, b], {"reduction": reduction}
        yield [leaf(POINTS), torch.arange(len(POINTS)) % 2 * 1.0], {"reduction": "none"}
    if name in ("nn.functional.batch_norm", "nn.functional.layer_norm"):
        flat = leaf(rows)
        if "layer" in name:
            yield [flat, [3]], {}
            yield [flat, [3], torch.tensor([1.0, 0.0, 2.0]).requires_grad_(), torch.zeros(3).requires_grad_()], {}
        else:
            columns = torch.tensor(rows).t().contiguous().requires_grad_()
            c = columns.shape[1]
            yield [columns, None, None], {"training": True}
            yield [columns, torch.zeros(c), torch.ones(c)], {"training": False}
            yield [columns, torch.zeros(c), torch.zeros(c)], {"training": False, "eps": 0.0}
            yield [columns, torch.full((c,), INF), torch.full((c,), INF)], {"training": False}


def module_samples(names):
    """Module tests of common_nn whose functional form is one of ours: (name in op_db, args, kwargs)."""
    kinds = {
        "Linear": ("nn.functional.linear", lambda m, x: ([x, m.weight, m.bias], {})),
        "Conv2d": ("nn.functional.conv2d", lambda m, x: ([x, m.weight, m.bias], dict(
            stride=m.stride, padding=m.padding, dilation=m.dilation, groups=m.groups))),
        "BatchNorm2d": ("nn.functional.batch_norm", lambda m, x: (
            [x, None if m.training else m.running_mean, None if m.training else m.running_var, m.weight, m.bias],
            dict(training=m.training, eps=m.eps))),
        "LayerNorm": ("nn.functional.layer_norm", lambda m, x: ([x, m.normalized_shape, m.weight, m.bias, m.eps], {})),
        "MaxPool2d": ("nn.functional.max_pool2d", lambda m, x: ([x, m.kernel_size], dict(
            stride=m.stride, padding=m.padding, dilation=m.dilation, ceil_mode=m.ceil_mode))),
        "AvgPool2d": ("nn.functional.avg_pool2d", lambda m, x: ([x, m.kernel_size], dict(
            stride=m.stride, padding=m.padding, ceil_mode=m.ceil_mode, count_include_pad=m.count_include_pad,
            divisor_override=m.divisor_override))),
        "AdaptiveAvgPool2d": ("nn.functional.adaptive_avg_pool2d", lambda m, x: ([x, m.output_size], {})),
        "ReLU": ("nn.functional.relu", lambda m, x: ([x], {})),
        "ReLU6": ("nn.functional.relu6", lambda m, x: ([x], {})),
        "SiLU": ("nn.functional.silu", lambda m, x: ([x], {})),
        "GELU": ("nn.functional.gelu", lambda m, x: ([x], dict(approximate=m.approximate))),
        "ELU": ("nn.functional.elu", lambda m, x: ([x, m.alpha], {})),
        "Hardsigmoid": ("nn.functional.hardsigmoid", lambda m, x: ([x], {})),
        "Hardswish": ("nn.functional.hardswish", lambda m, x: ([x], {})),
        "LeakyReLU": ("nn.functional.leaky_relu", lambda m, x: ([x, m.negative_slope], {})),
        "Softplus": ("nn.functional.softplus", lambda m, x: ([x, m.beta, m.threshold], {})),
        "Softmax": ("softmax", lambda m, x: ([x, m.dim], {})),
        "LogSoftmax": ("log_softmax", lambda m, x: ([x, m.dim], {})),
        "Flatten": ("flatten", lambda m, x: ([x, m.start_dim, m.end_dim], {})),
        "CrossEntropyLoss": ("nn.functional.cross_entropy", lambda m, x, t: ([x, t], dict(
            weight=m.weight, ignore_index=m.ignore_index, reduction=m.reduction, label_smoothing=m.label_smoothing))),
        "NLLLoss": ("nn.functional.nll_loss", lambda m, x, t: ([x, t], dict(
            weight=m.weight, ignore_index=m.ignore_index, reduction=m.reduction))),
        "MSELoss": ("nn.functional.mse_loss", lambda m, x, t: ([x, t], dict(reduction=m.reduction))),
        "L1Loss": ("nn.functional.l1_loss", lambda m, x, t: ([x, t], dict(reduction=m.reduction))),
        "SmoothL1Loss": ("nn.functional.smooth_l1_loss", lambda m, x, t: ([x, t], dict(reduction=m.reduction, beta=m.beta))),
        "BCEWithLogitsLoss": ("nn.functional.binary_cross_entropy_with_logits", lambda m, x, t: ([x, t], dict(
            weight=m.weight, pos_weight=m.pos_weight, reduction=m.reduction))),
    }

    def draw(d, key):
        if f"{key}_fn" in d:
            return d[f"{key}_fn"]()
        if key in d:
            return d[key]
        size = d.get(f"{key}_size")
        return torch.randn(size) if size is not None else None

    for d in common_nn.module_tests + common_nn.new_module_tests + common_nn.criterion_tests:
        kind = d.get("module_name") or d.get("fullname", "").split("_")[0]
        if kind not in kinds or "constructor_args" not in d and "module_name" not in d and "constructor" not in d:
            continue
        name, form = kinds[kind]
        if name not in names:
            continue
        try:
            args = d["constructor_args_fn"]() if "constructor_args_fn" in d else d.get("constructor_args", ())
            module = d["constructor"](*args) if "constructor" in d else getattr(torch.nn, kind)(*args)
            inputs = [draw(d, "input")] + ([draw(d, "target")] if "Loss" in kind else [])
            if any(not isinstance(t, torch.Tensor) for t in inputs):
                continue
            inputs = [t.detach().float() if t.is_floating_point() else t for t in inputs]
            inputs[0].requires_grad_()
            call_args, kwargs = form(module.float(), *inputs)
        except (AttributeError, TypeError, ValueError, KeyError):
            continue
        yield name, call_args, kwargs


def samples_of(name, golden):
    """(args, kwargs, where they come from) of an operation."""
    for args, kwargs in own_samples(name, golden):
        yield args, kwargs, "own"
    for op in op_db:
        if op.name != name or torch.float32 not in op.supported_dtypes("cpu"):
            continue
        lists = [op.sample_inputs("cpu", torch.float32, requires_grad=op.supports_autograd)]
        if not golden:
            lists.append(op.reference_inputs("cpu", torch.float32, requires_grad=op.supports_autograd))
        for source in lists:
            # clamp's reference inputs ask for gradients of integers, and end with an error.
            with contextlib.suppress(ValueError):
                for s in source:
                    yield [s.input, *s.args], s.kwargs, "op_db"


# ---- running and writing ---------------------------------------------------------------------------------------------------


def in_vectors(f, x):
    """f by element, in whole vectors of sixteen."""
    flat = x.reshape(-1)
    padded = F.pad(flat, (0, -flat.numel() % 16))
    return f(padded)[: flat.numel()].reshape(x.shape)


def function_of(name):
    f = next(op for op in op_db if op.name == name).op
    if name in VECTORISED:
        return lambda x, *args, **kwargs: in_vectors(lambda v: f(v, *args, **kwargs), x)
    if name not in ("maximum", "minimum"):
        return f
    # A number, which PyTorch's function does not take, is what a tensor of it gives.
    return lambda x, other: f(x, other if isinstance(other, torch.Tensor) else torch.tensor(other, dtype=x.dtype))


class Writer:
    def __init__(self):
        self.tensors = []
        self.index = {}

    def tensor(self, t):
        t = t.detach().contiguous()
        if t.dtype in (torch.bool, torch.int64, torch.int32, torch.uint8):
            dtype, data = "i32", t.to(torch.int32)
        elif t.dtype == torch.float32:
            dtype, data = "f32", t
        else:
            raise Unsupported(str(t.dtype))
        text = base64.b64encode(data.numpy().tobytes()).decode()
        key = (dtype, tuple(t.shape), text)
        if key not in self.index:
            self.index[key] = len(self.tensors)
            self.tensors.append([dtype, list(t.shape), text])
        return self.index[key]


def special_gradient(t, shift):
    values = [GRADIENTS[(i + shift) % len(GRADIENTS)] for i in range(t.numel())]
    return torch.tensor(values, dtype=torch.float32).reshape(t.shape)


def plain_gradient(t):
    n = t.numel()
    values = [((i * 37) % 101) / 50 - 1.01 for i in range(n)]
    return torch.tensor(values, dtype=torch.float32).reshape(t.shape)


def scalar(v):
    if isinstance(v, float) and not math.isfinite(v):
        return {"n": "NaN" if math.isnan(v) else "Infinity" if v > 0 else "-Infinity"}
    if isinstance(v, float) and v == 0 and math.copysign(1, v) < 0:
        return {"n": "-0"}
    return v


def evaluate(run, args, kwargs, gradient):
    """Outputs, their gradients, and those of the leaves that require one (zeros where none arrives)."""
    first, *rest = args
    out = run(first, *rest, **kwargs)
    outs = tensors_in(list(out) if isinstance(out, tuple) else out)
    differentiable = [t for t in outs if t.requires_grad]
    wanting = [t for t in tensors_in([args, kwargs]) if t.requires_grad]
    if gradient is None or not differentiable:
        return outs, [], []
    dys = [plain_gradient(t) if gradient == "plain" else special_gradient(t, gradient) for t in differentiable]
    grads = torch.autograd.grad(differentiable, wanting, dys, allow_unused=True)
    return outs, dys, [torch.zeros_like(t) if g is None else g for g, t in zip(grads, wanting)]


def special_gradients_open(name, args, kwargs):
    """Whether what a gradient that is not finite gives depends on the order of sums, or on whether padding counts."""
    if name in ("nn.functional.conv2d", "nn.functional.layer_norm"):
        return True
    return name == "nn.functional.cross_entropy" and args[1].is_floating_point()


def build(writer, name, args, kwargs, source, gradient, scale_limit):
    """One case, or None where the library does not have it. `gradient`: None, "plain" or a shift of special ones."""
    if name in SATURATING:
        low, high = SATURATING[name]
        args = walk(list(args), lambda t: torch.where((t.abs() > low) & (t.abs() < high), 2 * t, t).detach().requires_grad_())
    if special_gradients_open(name, args, kwargs) and gradient != "plain":
        gradient = "plain"
    args = walk(list(args), copy_leaf)
    kwargs = walk(dict(kwargs), copy_leaf)
    leaves = tensors_in([args, kwargs])
    if sum(t.numel() for t in leaves) > scale_limit * (4 if name == "bmm" else 1) or any(t.dtype in (torch.float64, torch.complex64) for t in leaves):
        return None
    try:
        kind, target, *call_args = CALLS[name](*args, **kwargs)
    except (Unsupported, TypeError):
        return None
    before = [t.detach().clone() for t in leaves]
    run = function_of(name)
    try:
        outs, dys, grads = evaluate(run, args, kwargs, gradient)
        if name == "nn.functional.conv2d":
            # Whether padding meets an infinite weight is up to the backend: where PyTorch's two disagree there is no answer.
            with torch.backends.mkldnn.flags(enabled=False):
                again = evaluate(run, args, kwargs, gradient)
            if any(not torch.equal(x.isfinite(), y.isfinite()) for x, y in zip(outs + grads, again[0] + again[2])):
                return None
    except (RuntimeError, IndexError, ValueError):
        return None
    if any(t.dtype == torch.float64 for t in outs):
        return None
    case = {"op": name, "from": source}
    known = {}

    def encode(value):
        if isinstance(value, torch.Tensor):
            place = next(i for i, t in enumerate(leaves) if t is value)
            known[place] = True
            ref = {"t": writer.tensor(before[place]), "id": place}
            if value.requires_grad and value.is_leaf:
                ref["grad"] = True
            return ref
        if isinstance(value, (list, tuple, torch.Size)):
            return [encode(v) for v in value]
        if isinstance(value, dict):
            return {"o": {k: encode(v) for k, v in value.items()}}
        return scalar(value)

    case["call"] = [kind, target, [encode(a) for a in call_args]]
    case["out"] = [writer.tensor(t) for t in outs]
    if dys:
        case["dy"] = [writer.tensor(dy) for dy in dys]
        wanting = [i for i, t in enumerate(leaves) if t.requires_grad]
        case["grads"] = {str(i): writer.tensor(g) for i, g in zip(wanting, grads) if i in known}
    return case


def build_all(golden):
    writer = Writer()
    cases = []
    seen = set()
    per_op, limit = (6, 300) if golden else (200, 20_000)
    modules = {}
    for name, args, kwargs in module_samples(CALLS):
        modules.setdefault(name, []).append((args, kwargs, "common_nn"))
    for name in CALLS:
        torch.manual_seed(0)
        count = 0
        own = 0
        for n, (args, kwargs, source) in enumerate(itertools.chain(samples_of(name, golden), modules.get(name, []))):
            if source != "own" and count >= per_op:
                continue
            variants = [(args, kwargs, "plain"), (args, kwargs, n)]
            if source != "own":
                special = injected(args, kwargs, n, KEEP.get(name, ()))
                variants += [(*special, "plain"), (*special, n + 1)]
            if golden:
                # Own samples come by all their gradients, of the others one in turn.
                variants = variants[:2] if source == "own" else [variants[(0, 2, 1, 3)[n % 4]]]
            for a, k, gradient in variants:
                with contextlib.suppress(Unsupported):
                    case = build(writer, name, a, k, source, gradient, limit)
                    key = json.dumps(case)
                    if case and key not in seen:
                        seen.add(key)
                        cases.append(case)
                        count += source != "own"
                        own += source == "own"
        print(f"{name}: {count} of PyTorch's samples, {own} of ours", file=sys.stderr)
        if count + own == 0:
            raise SystemExit(f"no case for {name}")
    return {"torch": torch.__version__, "tensors": writer.tensors, "cases": cases}


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    golden = sys.argv[1] == "--golden"
    path = GOLDEN if golden else sys.argv[1]
    recording = build_all(golden)
    with open(path, "w") as f:
        json.dump(recording, f, separators=(",", ":"))
        f.write("\n")
    print(f"{path}: {os.path.getsize(path) / 1e6:.2f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()
