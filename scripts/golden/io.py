"""Writes test/golden/io: small weight files of every kind that wgrad reads, and expected.json with their values.

Needs torch 1.13 (Debian: apt install python3-torch). Run from the repository's root: /usr/bin/python3 scripts/golden/io.py
"""

import io
import json
import math
import os
import pickle
import struct
import tarfile
import zipfile
from unittest import mock
from collections import Counter, OrderedDict

import numpy as np
import torch

OUT = os.path.join(os.path.dirname(__file__), "..", "..", "test", "golden", "io")
expected = {}


def number(x):
    if isinstance(x, float):
        if math.isnan(x):
            return "NaN"
        if math.isinf(x):
            return "Infinity" if x > 0 else "-Infinity"
    return int(x) if isinstance(x, bool) else x


def describe(t):
    """A tensor as wgrad reads it: floats as f32, integers and bool as i32."""
    t = t.detach()
    kind = "f32" if t.is_floating_point() else "i32"
    values = t.to(torch.float32) if kind == "f32" else t.to(torch.int64)
    return {"dtype": kind, "shape": list(t.shape), "data": [number(x) for x in values.contiguous().flatten().tolist()]}


def expect(file, tensors):
    expected[file] = {name: describe(t) for name, t in tensors.items()}


def write(file, data):
    with open(os.path.join(OUT, file), "wb") as f:
        f.write(data)


def save(obj, **options):
    buffer = io.BytesIO()
    torch.save(obj, buffer, **options)
    return buffer.getvalue()


LEGACY = {"_use_new_zipfile_serialization": False}


def every_kind():
    torch.manual_seed(0)
    base = torch.randn(4, 6)
    tagged = torch.nn.Parameter(torch.randn(2))
    tagged.note = "an attribute"
    special = [0.0, -0.0, 1.0, -2.5, 65504.0, 6e-8, 6.1e-5, math.inf, -math.inf, math.nan, 1 / 3]
    return OrderedDict(
        [
            ("f32", base),
            ("f64", torch.tensor([math.pi, 1e300, -1e-300], dtype=torch.float64)),
            ("f16", torch.tensor(special).half()),
            ("bf16", torch.tensor(special).bfloat16()),
            ("i64", torch.tensor([[0, -1], [2**31 - 1, -(2**31)]])),
            ("i32", torch.tensor([7, -7], dtype=torch.int32)),
            ("i16", torch.tensor([-32768, 32767], dtype=torch.int16)),
            ("i8", torch.tensor([-128, 127], dtype=torch.int8)),
            ("u8", torch.tensor([0, 200, 255], dtype=torch.uint8)),
            ("bool", torch.tensor([True, False, True])),
            ("scalar", torch.tensor(3)),
            ("empty", torch.zeros(2, 0, 3)),
            ("parameter", torch.nn.Parameter(torch.randn(3))),
            ("tagged", tagged),
            ("shared.rows", base[1:3]),
            ("shared.transposed", base.t()),
            ("shared.steps", base[::2, 1::2]),
            ("expanded", torch.tensor([1.0, 2.0]).expand(3, 2)),
            ("channelsLast", torch.randn(2, 3, 2, 2).to(memory_format=torch.channels_last)),
        ]
    )


def model():
    torch.manual_seed(1)
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    net(torch.randn(2, 1, 5, 5))
    return net


def zip_of(folder, records, **options):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as z:
        for name, data in records:
            info = zipfile.ZipInfo(f"{folder}/{name}")
            info.compress_type = options.get("compression", zipfile.ZIP_STORED)
            with z.open(info, "w", force_zip64=True) as f:
                f.write(data)
    return buffer.getvalue()


def rezip(data, folder, swap=False, **options):
    """The records of a torch 1.13 file, laid out as torch 2.x does."""
    source = zipfile.ZipFile(io.BytesIO(data))
    records = {name.split("/", 1)[1]: source.read(name) for name in source.namelist()}
    if swap:  # only for files whose storages are all of 4 bytes
        for name in records:
            if name.startswith("data/"):
                records[name] = np.frombuffer(records[name], "<u4").astype(">u4").tobytes()
    layout = [
        ("data.pkl", records.pop("data.pkl")),
        (".format_version", b"1"),
        (".storage_alignment", b"64"),
        ("byteorder", b"big" if swap else b"little"),
        *[(name, data) for name, data in records.items() if name.startswith("data/")],
        ("version", b"3\n"),
        (".data/serialization_id", b"0123456789012345678901234567890123456789"),
    ]
    return zip_of(folder, layout, **options)


def text(s):
    return b"X" + struct.pack("<I", len(s)) + s.encode()


def untyped_pickle():
    """{"u32": tensor} as torch 2.3 and later saves dtypes without a storage class: _rebuild_tensor_v3."""
    storage = b"(" + text("storage") + b"ctorch.storage\nUntypedStorage\n" + text("0") + text("cpu") + b"K\x08tQ"
    args = b"(" + storage + b"K\x00K\x02\x85K\x01\x85\x89ccollections\nOrderedDict\n)Rctorch\nuint32\nt"
    return b"\x80\x02}" + text("u32") + b"ctorch._utils\n_rebuild_tensor_v3\n" + args + b"Rs."


class Call:
    """Pickles as a call of a function, which an unpickler would run."""

    def __init__(self, function, *args):
        self.reduced = (function, args)

    def __reduce__(self):
        return self.reduced


def safetensors(tensors, metadata):
    names = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
             torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL"}
    header, body = {"__metadata__": metadata}, b""
    for name, t in tensors.items():
        t = t.detach().contiguous()
        data = (t.view(torch.int16) if t.dtype == torch.bfloat16 else t).numpy().tobytes()
        header[name] = {"dtype": names[t.dtype], "shape": list(t.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + body


class Net(torch.nn.Module):
    """Every place where a module keeps a tensor, of which a state dict has some."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(1, 2, 2)
        self.bn = torch.nn.BatchNorm2d(2)
        self.layers = torch.nn.ModuleList([torch.nn.Linear(2, 2), torch.nn.Linear(2, 2, bias=False)])
        self.first = self.layers[0]
        self.register_buffer("kept", torch.arange(2))
        self.register_buffer("left", torch.ones(2), persistent=False)
        self.attribute = torch.ones(3)
        self.sizes = [1, 2]

    def forward(self, x):
        x = self.bn(self.conv(x)).mean((2, 3))
        for layer in self.layers:
            x = layer(x)
        return x


def tar_of_old(tensors):
    """What torch.save of PyTorch 0.1 wrote: see legacy_load in torch/serialization.py."""
    keys = {id(t): str(1000 + i) for i, t in enumerate(tensors.values())}

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return keys.get(id(value))

    def dump(value):
        return pickle.dumps(value, 2)

    storages, geometry, views, roots = b"", b"", [], {}
    for t in tensors.values():
        key, flat = int(keys[id(t)]), torch.tensor([], dtype=t.dtype).set_(t.storage())
        root = roots.setdefault(flat.data_ptr(), key + 1000)
        first = 0
        if root == key + 1000:
            storages += dump((root, "cpu", getattr(torch, flat.storage().pickle_storage_type())))
            storages += struct.pack("<q", len(flat)) + flat.numpy().tobytes()
        else:  # a storage of its own, which is a view of the first one's
            first = t.storage_offset()
            views.append((key + 1000, root, first, len(flat) - first))
        numbers = [*t.shape, *t.stride(), t.storage_offset() - first]
        geometry += dump((key, key + 1000, torch.FloatTensor)) + struct.pack("<ii", t.dim(), -1)
        geometry += struct.pack(f"<{len(numbers)}q", *numbers)
    body, out = io.BytesIO(), io.BytesIO()
    Pickler(body, 2).dump(OrderedDict(tensors))
    with tarfile.open(fileobj=out, mode="w:", format=tarfile.PAX_FORMAT) as tar:
        for name, data in [
            ("sys_info", dump({"protocol_version": 1000, "little_endian": True})),
            ("pickle", body.getvalue()),
            ("tensors", dump(len(tensors)) + geometry),
            ("storages", dump(len(roots)) + storages + dump(views)),
        ]:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def without_debug(program):
    """torch.jit.save's archive, less the records that name files of this machine."""
    buffer = io.BytesIO()
    torch.jit.save(program, buffer)
    with zipfile.ZipFile(buffer) as given:
        records = [(name, given.read(name)) for name in given.namelist() if not name.endswith(".debug_pkl")]
    folder = records[0][0].split("/")[0]
    return zip_of(folder, [(name[len(folder) + 1 :], data) for name, data in records])


def other_writers():
    torch.manual_seed(1)
    net = Net().eval()
    state = net.state_dict()
    for protocol in (0, 1):
        write(f"protocol{protocol}.pth", save(state, pickle_protocol=protocol))
        write(f"protocol{protocol}-legacy.pth", save(state, pickle_protocol=protocol, **LEGACY))
        expect(f"protocol{protocol}.pth", state)
        expect(f"protocol{protocol}-legacy.pth", state)

    programs = {"script.pt": torch.jit.script(net), "trace.pt": torch.jit.trace(net, torch.ones(1, 1, 3, 3))}
    for file, program in programs.items():
        write(file, without_debug(program))
        expect(file, torch.jit.load(os.path.join(OUT, file)).state_dict())
    write("frozen.pt", without_debug(torch.jit.freeze(torch.jit.script(net))))

    # The legacy format notes the source of each class.
    source = mock.patch("torch.serialization.get_source_lines_and_file", lambda kind: (["class Net: ..."], 0, "net.py"))
    with source:
        write("module.pth", save(net))
        write("module-legacy.pth", save({"model": torch.nn.DataParallel(net), "epoch": 1}, **LEGACY))
        write("module-protocol0.pth", save(net, pickle_protocol=0))
    for file in "module.pth", "module-legacy.pth", "module-protocol0.pth":
        expect(file, state)

    averaged = torch.optim.swa_utils.AveragedModel(torch.nn.DataParallel(net))
    write("averaged.pth", save(averaged.state_dict()))
    expect("averaged.pth", state)

    x = torch.randn(3, 4)
    scales, zeros = torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64), torch.tensor([0, 1, -2])
    quantized = {
        "tensor": torch.quantize_per_tensor(x, 0.013, 10, torch.quint8),
        "channels": torch.quantize_per_channel(x, scales, zeros, 0, torch.qint8),
        "columns": torch.quantize_per_channel(x[:, :3], scales, zeros, 1, torch.qint8),
        "floats": torch.quantize_per_channel(x, scales.float(), zeros.float() + 0.5, 0, torch.quint8),
        "wide": torch.quantize_per_tensor(x, 1e-7, 0, torch.qint32),
        "plain": x,
    }
    write("quantized.pth", save(quantized))
    write("quantized-legacy.pth", save(quantized, **LEGACY))
    for file in "quantized.pth", "quantized-legacy.pth":
        expect(file, {name: t.dequantize() for name, t in quantized.items()})

    base = torch.randn(3, 4)
    old = {"weight": base, "bias": torch.randn(4), "view": base[1:, ::2], "column": base.t(), "long": torch.tensor([1, -2])}
    data = tar_of_old(old)
    write("tar.pth", data)
    expect("tar.pth", old)
    for name, t in torch.load(os.path.join(OUT, "tar.pth")).items():  # PyTorch reads it, too
        assert torch.equal(t, old[name]), name


def main():
    os.makedirs(OUT, exist_ok=True)
    tensors = every_kind()
    for file, options in [("zip.pth", {}), ("legacy.pth", LEGACY), ("protocol4.pth", {"pickle_protocol": 4})]:
        write(file, save(tensors, **options))
        expect(file, tensors)
    write("all.safetensors", safetensors(tensors, {"format": "pt"}))
    expect("all.safetensors", tensors)

    state = model().state_dict()  # an OrderedDict with _metadata
    plain = save(state)
    write("torch2.pth", rezip(plain, "checkpoint"))
    write("deflated.pth", rezip(plain, "checkpoint", compression=zipfile.ZIP_DEFLATED))
    floats = OrderedDict((name, t) for name, t in state.items() if t.is_floating_point())
    write("big-endian.pth", rezip(save(floats), "checkpoint", swap=True))
    expect("torch2.pth", state)
    expect("deflated.pth", state)
    expect("big-endian.pth", floats)

    net = model()
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.randn(2, 1, 5, 5)).sum().backward()
    optimizer.step()
    wrapped = {
        "epoch": 3,
        "best_prec1": np.float64(91.25),
        "state_dict": torch.nn.DataParallel(net).state_dict(),
        "optimizer": optimizer.state_dict(),
        "milestones": Counter([30, 60]),
        "shape": torch.Size([1, 2]),
        "dtype": torch.float32,
        "device": torch.device("cpu"),
        "classes": {"a", "b"},
        "raw": b"\x00\xff",
        "huge": 2**70,
        "__proto__": {"polluted": True},
    }
    write("wrapped.pth", save({**wrapped, "seed": torch.tensor(2**40)}))
    expect("wrapped.pth", net.state_dict())
    write("wrapped-legacy.pth", save(wrapped, **LEGACY))
    expect("wrapped-legacy.pth", net.state_dict())
    write("model-key.pth", save({"model": dict(net.state_dict()), "epoch": 1}))
    expect("model-key.pth", net.state_dict())

    write("untyped.pth", zip_of("archive", [("data.pkl", untyped_pickle()), ("data/0", struct.pack("<2I", 1, 2**32 - 1))]))
    expected["untyped.pth"] = {"u32": {"dtype": "u32", "shape": [2], "data": [1, 2**32 - 1]}}
    write("wide.pth", save({"layer.count": torch.tensor([1, 2**31])}, **LEGACY))
    write("tensor.pth", save(torch.ones(2), **LEGACY))

    weight = {"weight": torch.ones(2)}
    write("hostile-posix-system.pth", save({**weight, "extra": {"deep": [Call(os.system, "true")]}}))
    write("hostile-eval.pth", save({**weight, "extra": Call(eval, "1 + 1")}, pickle_protocol=4))
    write("hostile-eval-legacy.pth", save({**weight, "extra": Call(eval, "1 + 1")}, **LEGACY))
    inner = save(torch.ones(1), **LEGACY)
    write("hostile-load-from-bytes.pth", save({**weight, "extra": Call(torch.storage._load_from_bytes, inner)}))
    system = b"\x80\x02}" + text("weight") + b"cos\nsystem\n" + text("true") + b"\x85Rs."
    write("hostile-os-system.pth", zip_of("archive", [("data.pkl", system)]))
    write("hostile-plain.pkl", pickle.dumps(Call(os.system, "true"), protocol=2))

    other_writers()

    with open(os.path.join(OUT, "expected.json"), "w") as f:
        json.dump(expected, f, separators=(",", ":"))
        f.write("\n")


main()
