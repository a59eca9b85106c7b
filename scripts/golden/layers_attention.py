"""Writes test/golden/layers/attention.json. Run from the repository's root: /usr/bin/python3 scripts/golden/layers_attention.py"""

import math

import torch
from torch import nn

from layers import function, layer, wave, write


def attention(q, k, v, mask=None, causal=False, scale=None):
    """As torch.nn.functional.scaled_dot_product_attention of 2.0 documents it; 1.13 has it for internal use alone."""
    scores = q @ k.transpose(-2, -1) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if causal:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    if mask is not None:
        # As both versions do, so that a row of nothing has gradients of NaN as well.
        added = torch.zeros_like(mask, dtype=scores.dtype).masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else mask
        scores = scores + added
    return scores.softmax(-1) @ v


def packed(qkv, mask):
    """Queries, keys and values of two heads side by side: [N, L, 3 D]; a mask [P, heads or 1, L, L] begins again after P batches."""
    n, steps, _ = qkv.shape
    q, k, v = qkv.reshape(n, steps, 3, 2, -1).permute(2, 0, 3, 1, 4)
    return attention(q, k, v, mask.repeat(n // len(mask), 1, 1, 1)).transpose(1, 2).flatten(2)


def visible(*shape):
    """Every third key is left out, but never all of a row."""
    return torch.arange(math.prod(shape)).reshape(shape) % 3 != 1


cases = {
    "attention": function(attention, [(2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 7, 6)]),
    "attention without batch": function(attention, [(5, 4), (6, 4), (6, 3)]),
    "attention over more leading dimensions": function(attention, [(2, 1, 3, 4, 5), (2, 2, 1, 6, 5), (2, 2, 3, 6, 5)]),
    "attention, causal": function(lambda q, k, v: attention(q, k, v, causal=True), [(2, 6, 4), (2, 6, 4), (2, 6, 4)]),
    "attention, causal with fewer keys": function(
        lambda q, k, v: attention(q, k, v, causal=True, scale=0.3), [(2, 7, 4), (2, 4, 4), (2, 4, 4)]
    ),
    "attention, mask by key": function(
        lambda q, k, v: attention(q, k, v, visible(2, 1, 1, 7)), [(2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 7, 4)]
    ),
    "attention, added mask": function(attention, [(2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 7, 4), (3, 1, 7)]),
    "attention, added mask of a batch": function(attention, [(2, 2, 2, 3, 4), (2, 2, 2, 3, 4), (2, 2, 2, 3, 4), (2, 2, 1, 3, 3)]),
    "attention, rows of nothing": function(
        lambda q, k, v: attention(q, k, v, torch.arange(15).reshape(3, 5) // 5 != 1), [(3, 4), (5, 4), (5, 4)]
    ),
    "attention of 65 tokens": function(attention, [(1, 65, 4), (1, 65, 4), (1, 65, 4)]),
    "packed attention, a mask for all": function(packed, [(4, 5, 18), (1, 2, 5, 5)]),
    "packed attention, a mask that begins again": function(packed, [(6, 5, 18), (3, 2, 5, 5)]),
    "packed attention, a mask of all heads that begins again": function(packed, [(6, 4, 12), (2, 1, 4, 4)]),
    "packed attention, a mask for each batch": function(packed, [(3, 5, 12), (3, 1, 5, 5)]),
    "packed attention, seen keys that begin again": function(lambda x: packed(x, visible(2, 1, 5, 5)), [(4, 5, 12)]),
}

full = lambda m, *xs: m(*xs)
self_attention = lambda m, x, **options: m(x, x, x, **options)
cases |= {
    "MHA": layer(lambda: nn.MultiheadAttention(6, 2), [(5, 2, 6)], self_attention),
    "MHA, batch first, no weights": layer(
        lambda: nn.MultiheadAttention(6, 3, batch_first=True),
        [(2, 5, 6)],
        lambda m, x: m(x, x, x, need_weights=False)[0],
    ),
    "MHA of one sequence": layer(
        lambda: nn.MultiheadAttention(6, 2), [(5, 6)], lambda m, x: m(x, x, x, need_weights=False)[0]
    ),
    "MHA of one sequence, weights by head": layer(
        lambda: nn.MultiheadAttention(6, 2), [(5, 6), (4, 6)], lambda m, q, k: m(q, k, k, average_attn_weights=False)
    ),
    "MHA over another sequence": layer(
        lambda: nn.MultiheadAttention(6, 2, batch_first=True),
        [(2, 3, 6), (2, 5, 6)],
        lambda m, q, k: m(q, k, k, need_weights=False)[0],
    ),
    "MHA of three": layer(
        lambda: nn.MultiheadAttention(6, 2), [(3, 2, 6), (5, 2, 6), (5, 2, 6)], lambda m, *x: m(*x, need_weights=False)[0]
    ),
    "MHA of other widths, without bias": layer(
        lambda: nn.MultiheadAttention(6, 2, bias=False, kdim=4, vdim=3, batch_first=True),
        [(2, 3, 6), (2, 5, 4), (2, 5, 3)],
        lambda m, *x: m(*x, need_weights=False)[0],
    ),
    "MHA, masks": layer(
        lambda: nn.MultiheadAttention(6, 2, batch_first=True),
        [(2, 5, 6)],
        lambda m, x: m(x, x, x, attn_mask=~torch.ones(5, 5).tril().bool(), key_padding_mask=torch.arange(10).reshape(2, 5) % 5 == 3),
    ),
    "MHA, masks, no weights": layer(
        lambda: nn.MultiheadAttention(6, 2, batch_first=True),
        [(2, 5, 6)],
        lambda m, x: m(
            x, x, x, need_weights=False,
            attn_mask=~torch.ones(5, 5).tril().bool(), key_padding_mask=torch.arange(10).reshape(2, 5) % 5 == 3,
        )[0],
    ),
    "MHA, added mask by head": layer(
        lambda: nn.MultiheadAttention(6, 2),
        [(3, 2, 6), (4, 3, 3)],
        lambda m, x, mask: m(x, x, x, need_weights=False, attn_mask=mask)[0],
    ),
    "MHA with learned and zero keys": layer(
        lambda: nn.MultiheadAttention(6, 2, add_bias_kv=True, add_zero_attn=True),
        [(3, 2, 6), (4, 2, 6)],
        lambda m, q, k: m(q, k, k, key_padding_mask=torch.arange(8).reshape(2, 4) == 2),
    ),
}
square = ~torch.ones(4, 4).tril().bool()
options = dict(d_model=6, nhead=2, dim_feedforward=8, dropout=0.0)
cases |= {
    "EncoderLayer": layer(lambda: nn.TransformerEncoderLayer(**options), [(4, 2, 6)]),
    "EncoderLayer, norm first, gelu, causal": layer(
        lambda: nn.TransformerEncoderLayer(**options, norm_first=True, activation="gelu", batch_first=True),
        [(2, 4, 6)],
        lambda m, x: m(x, square, torch.arange(8).reshape(2, 4) == 7),
    ),
    "Encoder of two layers with a norm": layer(
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(**options), 2, nn.LayerNorm(6)),
        [(4, 2, 6)],
        lambda m, x: m(x, square),
    ),
    "DecoderLayer": layer(
        lambda: nn.TransformerDecoderLayer(**options),
        [(4, 2, 6), (3, 2, 6)],
        lambda m, x, memory: m(x, memory, tgt_mask=square, memory_key_padding_mask=torch.arange(6).reshape(2, 3) == 4),
    ),
    "DecoderLayer, norm first": layer(
        lambda: nn.TransformerDecoderLayer(**options, norm_first=True, batch_first=True), [(2, 4, 6), (2, 3, 6)]
    ),
    "Decoder of two layers": layer(
        lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(**options), 2, nn.LayerNorm(6)), [(4, 1, 6), (3, 1, 6)]
    ),
    "Transformer": layer(
        lambda: nn.Transformer(6, 2, 1, 1, 8, 0.0),
        [(3, 2, 6), (4, 2, 6)],
        lambda m, source, target: m(source, target, tgt_mask=square),
    ),
}
write("attention", cases)
