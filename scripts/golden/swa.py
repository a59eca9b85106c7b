"""Writes test/golden/swa.json: learning rates of SWALR, averages, and the statistics of update_bn.
Run from the repository's root: /usr/bin/python3 scripts/golden/swa.py"""

import json

import torch
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn


def rates(**options):
    optimizer = torch.optim.SGD([{"params": [torch.zeros(1)]}, {"params": [torch.zeros(1)], "lr": 0.3}], lr=0.1)
    warm = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    for _ in range(2):
        optimizer.step()
        warm.step()
    swa = SWALR(optimizer, **options)
    found = []
    for _ in range(6):
        found.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        swa.step()
    return found


def averages(avg_fn):
    model = nn.Linear(2, 1).double()
    found = []
    average = AveragedModel(model, avg_fn=avg_fn)
    for step in range(4):
        with torch.no_grad():
            model.weight.copy_(torch.tensor([[step * step + 0.5, 1 - step]]))
            model.bias.fill_(step)
        average.update_parameters(model)
        found.append([*average.module.weight.flatten().tolist(), average.module.bias.item()])
    return found


norm = nn.BatchNorm1d(2).double()
update_bn([torch.arange(8.0).double().reshape(4, 2) ** 2, torch.arange(6.0).double().reshape(3, 2)], norm)
with open("test/golden/swa.json", "w") as file:
    json.dump(
        {
            "rates": [
                {"options": {"swaLr": 0.05, "annealEpochs": 3}, "lrs": rates(swa_lr=0.05, anneal_epochs=3)},
                {
                    "options": {"swaLr": [0.05, 0.5], "annealEpochs": 4, "annealStrategy": "linear"},
                    "lrs": rates(swa_lr=[0.05, 0.5], anneal_epochs=4, anneal_strategy="linear"),
                },
                {"options": {"swaLr": 0.05, "annealEpochs": 0}, "lrs": rates(swa_lr=0.05, anneal_epochs=0)},
            ],
            "swa": averages(None),
            "ema": averages(lambda avg, p, n: 0.75 * avg + 0.25 * p),
            "bn": {"mean": norm.running_mean.tolist(), "variance": norm.running_var.tolist(), "momentum": norm.momentum},
        },
        file,
    )
    file.write("\n")
