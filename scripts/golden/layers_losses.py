"""Writes test/golden/layers/losses.json. Run from the repository's root: /usr/bin/python3 scripts/golden/layers_losses.py"""

import torch
import torch.nn.functional as F
from torch import nn

from layers import function, layer, wave, write

S = torch.sigmoid
# 1 and -1 by turns.
SIGNS = torch.tensor([1, -1, -1, 1])
LABELS = torch.tensor([2, 0, 1, 2])
M, V, C = (4, 3), (4,), (3,)


def of(make, f=lambda m, *xs: m(*xs)):
    """A loss with each reduction."""
    return {
        reduction: lambda *xs, r=reduction: f(make(reduction=r), *xs) for reduction in ("none", "mean", "sum")
    }


cases = {}


def add(name, inputs, losses):
    for reduction, f in losses.items():
        cases[f"{name} {reduction}"] = function(f, inputs)


add("BCELoss", [M, M], of(nn.BCELoss, lambda m, x, t: m(S(3 * x), S(t))))
add("BCELoss weighted", [M, M, C], {"mean": lambda x, t, w: F.binary_cross_entropy(S(x), S(t), S(w).detach())})
certain = torch.tensor([0.0, 1.0, 0.0, 1.0, 1e-6, 0.25])
answers = torch.tensor([1.0, 1.0, 0.0, 0.0, 0.0, 1.0])
cases["BCELoss of certain answers"] = function(lambda x: F.binary_cross_entropy(x, answers.double(), reduction="none"), [certain.double()])
cases["BCEWithLogitsLoss weighted"] = function(
    lambda x, t, w, p: F.binary_cross_entropy_with_logits(9 * x, S(t), w.detach(), pos_weight=p.detach()), [M, M, C, C]
)
cases["BCEWithLogitsLoss posWeight none"] = function(
    lambda x, t, p: F.binary_cross_entropy_with_logits(x, S(t), pos_weight=2 + p.detach(), reduction="none"), [M, M, C]
)
add("KLDivLoss", [M, M], of(nn.KLDivLoss, lambda m, x, t: m(x, S(t))))
cases |= {
    "KLDivLoss batchmean": function(lambda x, t: F.kl_div(x, S(t), reduction="batchmean"), [M, M]),
    "KLDivLoss logTarget": function(lambda x, t: F.kl_div(x, t, reduction="batchmean", log_target=True), [M, M]),
    "KLDivLoss with zeros": function(lambda x: F.kl_div(x, torch.tensor([0.0, 1.0, 0.5]).double(), reduction="none"), [M]),
}
add("NLLLoss", [M], of(nn.NLLLoss, lambda m, x: m(x.log_softmax(1), LABELS)))
add("L1Loss", [M, M], of(nn.L1Loss))
add("SmoothL1Loss", [M, M], of(lambda **k: nn.SmoothL1Loss(beta=0.5, **k)))
add("HuberLoss", [M, M], of(lambda **k: nn.HuberLoss(delta=0.75, **k)))
add("PoissonNLLLoss", [M, M], of(nn.PoissonNLLLoss, lambda m, x, t: m(x, 3 + 2 * t)))
cases["PoissonNLLLoss full"] = function(
    lambda x, t: F.poisson_nll_loss(1.5 + x, 2 + 2 * t.detach(), log_input=False, full=True), [M, M]
)
add("GaussianNLLLoss", [M, M, M], of(nn.GaussianNLLLoss, lambda m, x, t, v: m(x, t, S(v))))
cases |= {
    "GaussianNLLLoss full": function(lambda x, t, v: F.gaussian_nll_loss(x, t, S(v), full=True), [M, M, V]),
    "GaussianNLLLoss least": function(lambda x, t, v: F.gaussian_nll_loss(x, t, S(v), eps=0.5, reduction="none"), [M, M, (4, 1)]),
}
add("SoftMarginLoss", [V], of(nn.SoftMarginLoss, lambda m, x: m(x, SIGNS.double())))
add("HingeEmbeddingLoss", [V], of(lambda **k: nn.HingeEmbeddingLoss(margin=0.5, **k), lambda m, x: m(x, SIGNS)))
add("MultiLabelSoftMarginLoss", [M, M], of(nn.MultiLabelSoftMarginLoss, lambda m, x, t: m(x, S(t).detach())))
cases["MultiLabelSoftMarginLoss weighted"] = function(
    lambda x, w: F.multilabel_soft_margin_loss(x, torch.tensor([1.0, 0, 1]).double(), w.detach()), [C, C]
)
add("CosineEmbeddingLoss", [M, M], of(lambda **k: nn.CosineEmbeddingLoss(margin=-0.2, **k), lambda m, a, b: m(a, b, SIGNS)))
add("MarginRankingLoss", [V, V], of(lambda **k: nn.MarginRankingLoss(margin=0.3, **k), lambda m, a, b: m(a, b, SIGNS)))
add("MultiMarginLoss", [M], of(nn.MultiMarginLoss, lambda m, x: m(x, LABELS)))
cases |= {
    "MultiMarginLoss squares": function(
        lambda x, w: F.multi_margin_loss(x, LABELS, p=2, margin=0.5, weight=w.detach(), reduction="none"), [M, C]
    ),
    "MultiMarginLoss of one": function(lambda x: F.multi_margin_loss(x, torch.tensor(1)), [C]),
}
add("TripletMarginLoss", [M, M, M], of(lambda **k: nn.TripletMarginLoss(margin=0.7, **k)))
cases["TripletMarginLoss swapped"] = function(
    lambda a, p, n: F.triplet_margin_loss(a, p, n, p=1, swap=True, reduction="none"), [M, M, M]
)
cases |= {
    "CosineSimilarity": function(nn.CosineSimilarity(), [M, M]),
    "CosineSimilarity broadcast": function(nn.CosineSimilarity(dim=-1), [(2, 4, 3), (3,)]),
    "CosineSimilarity along a repeated dimension": function(lambda a, b: F.cosine_similarity(a, b.detach(), 0), [(4, 3), (1, 3)]),
    "PairwiseDistance": function(nn.PairwiseDistance(), [M, M]),
    "PairwiseDistance broadcast": function(nn.PairwiseDistance(p=1, keepdim=True), [(2, 4, 3), (3,)]),
    "normalize": function(F.normalize, [(2, 3, 4)]),
    "normalize by sizes": function(lambda x: F.normalize(x, p=1, dim=-1), [M]),
    "normalize by the largest": function(lambda x: F.normalize(x, p=float("inf"), dim=0), [M]),
    "normalize by cubes": function(lambda x: F.normalize(x, p=3, dim=-1, eps=0.1), [M]),
}
write("losses", cases)
