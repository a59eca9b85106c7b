"""Golden vectors of conv2d and its gradients in float64: python3 scripts/golden/conv.py > test/golden/conv.json

Needs PyTorch (Debian: python3-torch). Inputs come from a formula, so that only the results are stored.
"""
import json
import torch
import torch.nn.functional as F

CASES = [
    # x, weight, bias, stride, padding, dilation, groups
    ([1, 2, 5, 5], [3, 2, 3, 3], True, [1, 1], [1, 1], [1, 1], 1),
    ([2, 4, 6, 5], [4, 2, 3, 2], True, [2, 1], [1, 0], [1, 1], 2),
    ([1, 3, 7, 7], [2, 3, 3, 3], False, [1, 2], [2, 2], [2, 2], 1),
    ([2, 3, 4, 4], [3, 1, 1, 1], True, [2, 2], [0, 0], [1, 1], 3),
    ([2, 2, 1, 1], [2, 2, 3, 3], False, [1, 1], [1, 1], [1, 1], 1),
    ([1, 1, 9, 9], [2, 1, 5, 5], True, [4, 4], [2, 2], [1, 1], 1),
]


def values(shape, salt):
    n = 1
    for d in shape:
        n *= d
    i = torch.arange(n, dtype=torch.float64)
    return ((i * 37 + salt * 11) % 101 / 50 - 1).reshape(shape)


out = []
for x_shape, w_shape, bias, stride, padding, dilation, groups in CASES:
    x, w = values(x_shape, 1).requires_grad_(), values(w_shape, 2).requires_grad_()
    b = values([w_shape[0]], 3).requires_grad_() if bias else None
    y = F.conv2d(x, w, b, stride, padding, dilation, groups)
    y.backward(values(list(y.shape), 4))
    flat = lambda t: [round(v, 9) for v in t.flatten().tolist()]
    out.append({
        "x": x_shape, "w": w_shape, "bias": bias, "stride": stride, "padding": padding, "dilation": dilation,
        "groups": groups, "yShape": list(y.shape), "y": flat(y.detach()), "dx": flat(x.grad), "dw": flat(w.grad),
        "db": flat(b.grad) if bias else [],
    })
print(json.dumps(out))
