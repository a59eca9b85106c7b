"""Writes test/golden/models.json: names and shapes of the state dicts of torchvision's models, in order.

Needs torchvision 0.14 (Debian: apt install python3-torchvision). Run from the repository's root:
/usr/bin/python3 scripts/golden/models.py
"""

import json
import os

from torchvision import models

OUT = os.path.join(os.path.dirname(__file__), "..", "..", "test", "golden", "models.json")
out = {}
for name in ["resnet18", "resnet34", "resnet50", "alexnet"]:
    model = getattr(models, name)()
    out[name] = {
        "parameters": sum(p.numel() for p in model.parameters()),
        "state": [[key, list(value.shape)] for key, value in model.state_dict().items()],
    }
with open(OUT, "w") as f:
    json.dump(out, f)
