"""PyTorch on the CPU, with as many threads as the machine has cores. Speaks the protocol of protocol.mjs."""

import json
import os
import resource
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from formula import labels, parameter, uniform
from torch_families import FamilyTrainer
from torch_programs import ProgramTrainer
from torchvision.models import resnet18

torch.set_num_threads(len(os.sched_getaffinity(0)))


class Figure:
    """Something that computes one tensor."""

    def __init__(self, compute):
        self.compute = compute

    def run(self, times):
        for _ in range(times):
            self.compute()

    def values(self):
        return self.compute().detach().numpy().reshape(-1)


def conv(spec):
    n, c, f, s = spec["batch"], spec["channels"], spec["filters"], spec["size"]
    x = torch.from_numpy(uniform((n, c, s, s), 1))
    w = torch.from_numpy(uniform((f, c, 3, 3), 2, 0.05))
    dy = torch.from_numpy(uniform((n, f, s, s), 3))

    def backward(wanted):
        mask = [wanted == "input", wanted == "weight", False]
        geometry = [1, 1], [1, 1], [1, 1], False, [0, 0], 1
        return torch.ops.aten.convolution_backward(dy, x, w, None, *geometry, mask)

    return Figure(
        {
            "forward": lambda: F.conv2d(x, w, padding=1),
            "input": lambda: backward("input")[0],
            "weight": lambda: backward("weight")[1],
        }[spec["pass"]]
    )


def matmul(spec):
    a, b = (torch.from_numpy(uniform((spec["size"],) * 2, seed)) for seed in (1, 2))
    return Figure(lambda: a @ b)


def batch_norm(spec):
    shape = spec["shape"]
    x, dy = (torch.from_numpy(uniform(shape, seed)) for seed in (1, 2))
    w, b = (torch.from_numpy(uniform(shape[1:2], seed)) for seed in (3, 4))
    for t in (x, w, b):
        t.requires_grad_()

    def compute():
        y = F.batch_norm(x, None, None, w, b, training=True)
        return torch.autograd.grad(y, (x, w, b), dy)[0]

    return Figure(compute)


def model():
    net = resnet18(num_classes=10)
    with torch.no_grad():
        for i, (name, p) in enumerate(net.named_parameters()):
            p.copy_(torch.from_numpy(parameter(name, tuple(p.shape), i + 1)))
    return net


def images(batch):
    return torch.from_numpy(uniform((batch, 3, 32, 32), 1000))


class Trainer:
    def __init__(self, spec):
        self.net = model().train()
        self.x = images(spec["batch"])
        self.y = torch.from_numpy(labels(spec["batch"], 1001, 10))
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=1e-3)

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(self.net(self.x), self.y)
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())

    def run(self, times):
        for _ in range(times):
            self.step()


def infer(spec):
    net = model().eval()
    x = images(spec["batch"])

    def compute():
        with torch.no_grad():
            return net(x)

    return Figure(compute)


FIGURES = {"conv": conv, "matmul": matmul, "batchNorm": batch_norm, "train": Trainer, "infer": infer, "program": ProgramTrainer, "family": FamilyTrainer}


def probe(values):
    n = len(values)
    norm = float(np.sqrt(np.sum(values.astype(np.float64) ** 2)))
    return [norm] + [float(values[i * 2654435761 % n]) for i in range(16)]


def milliseconds(f):
    start = time.perf_counter()
    result = f()
    return (time.perf_counter() - start) * 1000, result


def main():
    figure = None
    for line in sys.stdin:
        request = json.loads(line)
        reply = {}
        try:
            if request["do"] == "prepare":
                figure = FIGURES[request["spec"]["kind"]](request["spec"])
                if isinstance(figure, (Trainer, ProgramTrainer, FamilyTrainer)):
                    first, loss = milliseconds(figure.step)
                    reply = {"firstMs": first, "values": [loss] + [figure.step() for _ in range(2)]}
                else:
                    first, _ = milliseconds(lambda: figure.run(1))
                    reply = {"firstMs": first, "values": probe(figure.values())}
            elif request["do"] == "run":
                reply = {"ms": milliseconds(lambda: figure.run(request["times"]))[0]}
            elif request["do"] == "release":
                figure = None
            elif request["do"] == "cold":
                trainer = Trainer(request["spec"])
                first, loss = milliseconds(trainer.step)
                losses = [loss] + [trainer.step() for _ in range(request["steps"] - 1)]
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                reply = {"firstStepMs": first, "losses": losses, "peakRssMiB": peak}
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


main()
