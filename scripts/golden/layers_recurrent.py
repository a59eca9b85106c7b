"""Writes test/golden/layers/recurrent.json. Run from the repository's root: /usr/bin/python3 scripts/golden/layers_recurrent.py"""

from torch import nn

from layers import layer, write


def state(m, x, *rest):
    return m(x, rest if isinstance(m, nn.LSTM) else rest[0])


cases = {}
for name, make in {"LSTM": nn.LSTM, "GRU": nn.GRU, "RNN": nn.RNN}.items():
    cells = 2 if name == "LSTM" else 1
    cases |= {
        name: layer(lambda: make(3, 5), [(4, 2, 3)]),
        f"{name} of width 4": layer(lambda: make(3, 8), [(5, 6, 3)]),
        f"{name} with states": layer(lambda: make(3, 4), [(4, 3, 3)] + [(1, 3, 4)] * cells, state),
        f"{name} two layers both ways": layer(
            lambda: make(3, 4, 2, bidirectional=True, batch_first=True), [(2, 5, 3)] + [(4, 2, 4)] * cells, state
        ),
        f"{name} without bias, one sequence": layer(lambda: make(3, 4, bias=False), [(5, 3)]),
        f"{name} one step": layer(lambda: make(2, 3), [(1, 1, 2)]),
    }
cases["RNN relu"] = layer(lambda: nn.RNN(3, 4, nonlinearity="relu"), [(4, 2, 3)])
write("recurrent", cases)
