"""Writes test/golden/optim.json: optimizer trajectories and learning rate schedules from PyTorch, in float64.

Lion and Muon, which PyTorch 1.13 lacks, are written here after their papers.

Needs torch 1.13 (Debian: apt install python3-torch). Run from the repository's root: /usr/bin/python3 scripts/golden/optim.py
"""

import json
import math
import os
import re
import warnings

import torch
from torch.optim import lr_scheduler

warnings.simplefilter("ignore")
OUT = os.path.join(os.path.dirname(__file__), "..", "..", "test", "golden", "optim.json")
STEPS = 15
SHAPES = [[3], [2, 2], [5]]
# Wide, tall, and the weight of a convolution.
MATRICES = [[2, 3], [5, 2], [3, 2, 2, 2]]


def initial(k, i):
    return math.cos(3 * k + 1.3 * i)


def gradient(step, k, i):
    """Of element i of parameter k: some large, some tiny."""
    return math.sin(1.7 * i + 0.9 * step + 2.1 * k) * 10.0 ** ((i + k) % 4 - 2)


def size(shape):
    return math.prod(shape)


def rounded(x):
    return float(f"{x:.9g}")


class Lion(torch.optim.Optimizer):
    """Algorithm 2 of https://arxiv.org/abs/2302.06675"""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            lr, (beta1, beta2) = group["lr"], group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                m = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
                direction = torch.sign(beta1 * m + (1 - beta1) * p.grad)
                p.sub_(lr * (direction + group["weight_decay"] * p))
                m.copy_(beta2 * m + (1 - beta2) * p.grad)


class Muon(torch.optim.Optimizer):
    """https://kellerjordan.github.io/posts/muon/, with the options and the momentum of torch.optim.Muon (PyTorch 2.9)."""

    def __init__(self, params, lr=1e-3, weight_decay=0.1, momentum=0.95, nesterov=True, ns_coefficients=(3.4445, -4.775, 2.0315), eps=1e-7, ns_steps=5):
        options = {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov}
        super().__init__(params, {**options, "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            momentum = group["momentum"]
            a, b, c = group["ns_coefficients"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                m = self.state[p].setdefault("momentum_buffer", torch.zeros_like(p))
                m.copy_(momentum * m + (1 - momentum) * p.grad)
                update = momentum * m + (1 - momentum) * p.grad if group["nesterov"] else m
                x = update.reshape(p.shape[0], -1)
                rows, columns = x.shape
                x = x / (x.norm() + group["eps"])
                if rows > columns:
                    x = x.T
                for _ in range(group["ns_steps"]):
                    gram = x @ x.T
                    x = a * x + (b * gram + c * gram @ gram) @ x
                if rows > columns:
                    x = x.T
                scale = max(1, rows / columns) ** 0.5
                p.sub_(group["lr"] * (scale * x.reshape(p.shape) + group["weight_decay"] * p))


def trajectory(name, kind, options, groups=None, absent=None, lrs=None, shapes=None):
    """absent: {parameter: [from, to]}, the steps in which it has no gradient; lrs: {step: [lr of each group]}."""
    groups = groups or [{"params": [0, 1, 2]}]
    absent = absent or {}
    lrs = lrs or {}
    params = [
        torch.nn.Parameter(torch.tensor([initial(k, i) for i in range(size(s))], dtype=torch.float64).reshape(s))
        for k, s in enumerate(shapes or SHAPES)
    ]
    snake = lambda o: {re.sub("[A-Z]", lambda m: "_" + m[0].lower(), k): v for k, v in o.items()}
    torch_groups = [{**snake(g), "params": [params[k] for k in g["params"]]} for g in groups]
    make = {"Lion": Lion, "Muon": Muon}.get(kind) or getattr(torch.optim, kind)
    # NAdam's other path has an error in 1.13 that later versions have put right (pytorch/pytorch#92699).
    foreach = {"foreach": True} if kind == "NAdam" else {}
    optimizer = make(torch_groups, **snake(options), **foreach)
    values = []
    for step in range(STEPS):
        for g, lr in zip(optimizer.param_groups, lrs.get(step, [])):
            g["lr"] = lr
        for k, p in enumerate(params):
            begin, end = absent.get(k, (0, 0))
            if begin <= step < end:
                p.grad = None
            else:
                p.grad = torch.tensor([gradient(step, k, i) for i in range(p.numel())], dtype=torch.float64).reshape(p.shape)
        optimizer.step()
        values.append([[rounded(x) for x in p.detach().flatten().tolist()] for p in params])
    return {
        "name": name, "kind": kind, "options": options, "groups": groups,
        "absent": {str(k): v for k, v in absent.items()}, "lrs": {str(k): v for k, v in lrs.items()}, "values": values,
        **({"shapes": shapes} if shapes else {}),
    }


def sequence(name, kind, positional, options, lrs=(0.1,), epochs=40, optimizer="SGD", metrics=None, by_hand=None):
    """The learning rates (and momenta) after construction and after each step. by_hand: {epoch: lr set before its step}."""
    by_hand = by_hand or {}
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in lrs]
    made = torch.optim.SGD(groups, lr=1, momentum=0.9) if optimizer == "SGD" else torch.optim.Adam(groups)
    names = {
        "gamma": "gamma", "etaMin": "eta_min", "totalSteps": "total_steps", "pctStart": "pct_start",
        "annealStrategy": "anneal_strategy", "cycleMomentum": "cycle_momentum", "baseMomentum": "base_momentum",
        "maxMomentum": "max_momentum", "divFactor": "div_factor", "finalDivFactor": "final_div_factor",
        "threePhase": "three_phase", "epochs": "epochs", "stepsPerEpoch": "steps_per_epoch", "mode": "mode",
        "factor": "factor", "patience": "patience", "threshold": "threshold", "thresholdMode": "threshold_mode",
        "startFactor": "start_factor", "endFactor": "end_factor", "totalIters": "total_iters", "power": "power",
        "tMult": "T_mult", "stepSizeUp": "step_size_up", "stepSizeDown": "step_size_down",
        "cooldown": "cooldown", "minLr": "min_lr", "eps": "eps",
    }
    args = [LAMBDAS[a] if isinstance(a, str) else a for a in positional]
    if kind == "SequentialLR":
        parts = [getattr(lr_scheduler, k)(made, *a, **{names[n]: v for n, v in o.items()}) for k, a, o in positional[0]]
        scheduler = lr_scheduler.SequentialLR(made, parts, positional[1])
    elif kind == "ChainedScheduler":
        parts = [getattr(lr_scheduler, k)(made, *a, **{names[n]: v for n, v in o.items()}) for k, a, o in positional[0]]
        scheduler = lr_scheduler.ChainedScheduler(parts)
    else:
        scheduler = getattr(lr_scheduler, kind)(made, *args, **{names[k]: v for k, v in options.items()})
    read = lambda: [
        [g["lr"], g["momentum"] if optimizer == "SGD" else g["betas"][0]] for g in made.param_groups
    ]
    out = [read()]
    for epoch in range(epochs):
        if epoch in by_hand:
            for g in made.param_groups:
                g["lr"] = by_hand[epoch]
        scheduler.step(*([metrics[epoch]] if metrics else []))
        out.append(read())
    return {
        "name": name, "kind": kind, "positional": list(positional), "options": options, "lrs": list(lrs), "optimizer": optimizer,
        "metrics": metrics, "byHand": {str(k): v for k, v in by_hand.items()}, "values": out,
    }


LAMBDAS = {"decay": lambda epoch: 0.95**epoch, "inverse": lambda epoch: 1 / (1 + epoch)}

trajectories = [
    trajectory("sgd", "SGD", {"lr": 0.1}),
    trajectory("sgd, weight decay", "SGD", {"lr": 0.1, "weightDecay": 0.05}),
    trajectory("sgd, momentum", "SGD", {"lr": 0.1, "momentum": 0.9}),
    trajectory("sgd, momentum, dampening, weight decay", "SGD", {"lr": 0.1, "momentum": 0.8, "dampening": 0.3, "weightDecay": 0.01}),
    trajectory("sgd, nesterov, weight decay", "SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weightDecay": 0.01}),
    trajectory("sgd, momentum, a parameter released late", "SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.1}, absent={2: [0, 6]}),
    trajectory("adam", "Adam", {"lr": 0.01}),
    trajectory("adam, weight decay", "Adam", {"lr": 0.01, "weightDecay": 0.1, "betas": [0.8, 0.99], "eps": 1e-6}),
    trajectory("adam, amsgrad", "Adam", {"lr": 0.01, "amsgrad": True}),
    trajectory("adam, frozen then released", "Adam", {"lr": 0.01, "weightDecay": 1e-4}, absent={0: [0, 5], 1: [0, 5]}),
    trajectory("adam, released with a new rate", "Adam", {"lr": 0.01}, absent={0: [0, 5]}, lrs={5: [1e-3], 11: [1e-2]}),
    trajectory("adam, a parameter sits out", "Adam", {"lr": 0.01}, absent={1: [4, 7], 2: [6, 7]}),
    trajectory(
        "adam, groups", "Adam", {"lr": 0.01},
        groups=[{"params": [2]}, {"params": [0, 1], "lr": 1e-3, "weightDecay": 0.1}], lrs={8: [0.02, 0.002]}, absent={1: [0, 3]},
    ),
    trajectory("adamw", "AdamW", {"lr": 0.01}),
    trajectory("adamw, amsgrad, groups", "AdamW", {"lr": 0.01, "amsgrad": True}, groups=[{"params": [0]}, {"params": [1, 2], "weightDecay": 0.3}]),
    trajectory("rmsprop", "RMSprop", {"lr": 0.01}),
    trajectory("rmsprop, weight decay, a parameter sits out", "RMSprop", {"lr": 0.01, "alpha": 0.9, "eps": 1e-6, "weightDecay": 0.1}, absent={1: [4, 7]}),
    trajectory("rmsprop, momentum", "RMSprop", {"lr": 0.003, "momentum": 0.9}, lrs={6: [1e-3]}),
    trajectory("rmsprop, centered", "RMSprop", {"lr": 0.01, "alpha": 0.8, "centered": True}),
    trajectory("rmsprop, centered, momentum, weight decay", "RMSprop", {"lr": 0.003, "alpha": 0.8, "centered": True, "momentum": 0.8, "weightDecay": 0.05}, absent={2: [0, 4]}),
    trajectory("adagrad", "Adagrad", {"lr": 0.1}),
    trajectory("adagrad, initial value, decays, released late", "Adagrad", {"lr": 0.1, "lrDecay": 0.05, "weightDecay": 0.1, "initialAccumulatorValue": 0.2, "eps": 1e-8}, absent={0: [0, 5]}),
    trajectory("nadam", "NAdam", {"lr": 0.01}),
    trajectory("nadam, weight decay, released late", "NAdam", {"lr": 0.01, "betas": [0.8, 0.99], "eps": 1e-6, "weightDecay": 0.1, "momentumDecay": 0.05}, absent={1: [0, 6]}, lrs={9: [0.003]}),
    trajectory("lion", "Lion", {"lr": 0.01}),
    trajectory("lion, weight decay, groups", "Lion", {"lr": 0.01, "betas": [0.95, 0.98]}, groups=[{"params": [0]}, {"params": [1, 2], "weightDecay": 0.3}], lrs={5: [0.003, 0.02]}, absent={2: [4, 7]}),
    trajectory("muon", "Muon", {"lr": 0.02}, shapes=MATRICES),
    trajectory("muon, without nesterov, groups", "Muon", {"lr": 0.02, "nesterov": False, "momentum": 0.8}, groups=[{"params": [1]}, {"params": [0, 2], "weightDecay": 0, "nsSteps": 3}], lrs={5: [0.01, 0.05]}, absent={0: [4, 7]}, shapes=MATRICES),
]

falling = [1 / (1 + 0.3 * e) + 0.05 * math.sin(5 * e) for e in range(40)]
stuck = [1.0, 0.9, 0.8] + [0.8 - 1e-6 * e for e in range(37)]
rising = [0.2 + 0.02 * min(e, 9) + 0.01 * math.cos(e) for e in range(40)]
sequences = [
    sequence("LambdaLR", "LambdaLR", ["decay"], {}, lrs=(0.1, 0.3)),
    sequence("LambdaLR, inverse", "LambdaLR", ["inverse"], {}),
    sequence("StepLR", "StepLR", [7], {"gamma": 0.5}, lrs=(0.1, 0.02)),
    sequence("StepLR, default", "StepLR", [10], {}, by_hand={15: 0.7}),
    sequence("MultiStepLR", "MultiStepLR", [[3, 9, 9, 20]], {"gamma": 0.3}),
    sequence("ExponentialLR", "ExponentialLR", [0.9], {}, lrs=(0.1, 1.0)),
    sequence("CosineAnnealingLR", "CosineAnnealingLR", [12], {"etaMin": 0.001}, lrs=(0.1, 0.05)),
    sequence("CosineAnnealingLR, whole", "CosineAnnealingLR", [40], {}, by_hand={20: 0.2}),
    sequence("OneCycleLR", "OneCycleLR", [0.5], {"totalSteps": 40}, epochs=39),
    sequence("OneCycleLR, Adam", "OneCycleLR", [[0.01, 0.1]], {"epochs": 5, "stepsPerEpoch": 8, "pctStart": 0.4}, lrs=(0.1, 0.2), epochs=39, optimizer="Adam"),
    sequence("OneCycleLR, linear, three phases", "OneCycleLR", [0.5], {"totalSteps": 41, "annealStrategy": "linear", "threePhase": True, "divFactor": 10.0, "finalDivFactor": 100.0}, epochs=40),
    sequence("OneCycleLR, momentum kept", "OneCycleLR", [0.5], {"totalSteps": 40, "cycleMomentum": False}, epochs=39),
    sequence("LinearLR", "LinearLR", [], {}, lrs=(0.1, 0.3)),
    sequence("LinearLR, down", "LinearLR", [], {"startFactor": 1.0, "endFactor": 0.1, "totalIters": 12}, by_hand={6: 0.5}),
    sequence("ConstantLR", "ConstantLR", [], {"factor": 0.5, "totalIters": 7}),
    sequence("PolynomialLR", "PolynomialLR", [], {"totalIters": 20, "power": 2.0}, lrs=(0.1, 0.3)),
    sequence("warm restarts", "CosineAnnealingWarmRestarts", [6], {"tMult": 2, "etaMin": 0.001}, lrs=(0.1, 0.3)),
    sequence("warm restarts, all alike", "CosineAnnealingWarmRestarts", [7], {}),
    sequence("CyclicLR", "CyclicLR", [0.01, 0.1], {"stepSizeUp": 5, "stepSizeDown": 8}),
    sequence("CyclicLR, triangular2", "CyclicLR", [[0.01, 0.02], [0.1, 0.3]], {"stepSizeUp": 6, "mode": "triangular2"}, lrs=(0.1, 0.2)),
    sequence("CyclicLR, exp_range", "CyclicLR", [0.01, 0.1], {"stepSizeUp": 4, "mode": "exp_range", "gamma": 0.95, "cycleMomentum": False}, optimizer="Adam"),
    sequence("warm-up, then a cosine", "SequentialLR", [[["LinearLR", [], {"totalIters": 5}], ["CosineAnnealingLR", [30], {}]], [5]], {}, lrs=(0.1, 0.3)),
    sequence("three in a row", "SequentialLR", [[["ConstantLR", [], {"totalIters": 3}], ["ExponentialLR", [0.9], {}], ["StepLR", [4], {"gamma": 0.5}]], [4, 20]], {}),
    sequence("two at once", "ChainedScheduler", [[["ConstantLR", [], {"totalIters": 3}], ["ExponentialLR", [0.9], {}]]], {}),
    sequence("plateau, default", "ReduceLROnPlateau", [], {}, metrics=stuck),
    sequence("plateau of the lesson", "ReduceLROnPlateau", [], {"mode": "min", "factor": 0.5, "patience": 2}, metrics=falling, lrs=(1e-3, 1e-4)),
    sequence("plateau, cooldown", "ReduceLROnPlateau", [], {"factor": 0.5, "patience": 1, "cooldown": 3}, metrics=stuck),
    sequence("plateau, absolute threshold", "ReduceLROnPlateau", [], {"factor": 0.5, "patience": 2, "threshold": 0.05, "thresholdMode": "abs"}, metrics=falling),
    sequence("plateau, max", "ReduceLROnPlateau", [], {"mode": "max", "factor": 0.3, "patience": 3, "threshold": 0.01, "cooldown": 1}, metrics=rising),
    sequence("plateau, max, absolute", "ReduceLROnPlateau", [], {"mode": "max", "factor": 0.3, "patience": 3, "threshold": 0.01, "thresholdMode": "abs"}, metrics=rising),
    sequence("plateau, least rates", "ReduceLROnPlateau", [], {"factor": 0.1, "patience": 0, "minLr": [0.02, 1e-7], "eps": 1e-6}, metrics=stuck, lrs=(0.1, 0.01)),
]

with open(OUT, "w") as f:
    json.dump({"steps": STEPS, "shapes": SHAPES, "trajectories": trajectories, "sequences": sequences}, f)
