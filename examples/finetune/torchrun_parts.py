"""What torchrun_runner.py trains with: the recipe's model, pictures and augmentation as torchvision has them, and weights as
safetensors files. Needs torch 1.13 and torchvision 0.14 or newer."""

import json
import os
import struct

import torch
import torchvision
from torchvision import transforms as T

DTYPES = {"F32": torch.float32, "I64": torch.int64, "I32": torch.int32}


def load_safetensors(path):
    """Tensors by name. The format: 8 bytes with the header's length, a JSON header, then the tensors' bytes."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            first, end = entry["data_offsets"]
            dtype = DTYPES[entry["dtype"]]
            flat = torch.frombuffer(data[first:end], dtype=dtype) if end > first else torch.empty(0, dtype=dtype)
            tensors[name] = flat.reshape(entry["shape"])
    return tensors


def save_safetensors(tensors, path):
    """Replaces the file at once, so that it is never half written."""
    names = {dtype: name for name, dtype in DTYPES.items()}
    header, parts, offset = {}, [], 0
    # Wider types first: every tensor then begins at a multiple of its element's size.
    for name, t in sorted(tensors.items(), key=lambda item: (-item[1].element_size(), item[0])):
        part = t.detach().cpu().contiguous().numpy().tobytes()
        end = offset + len(part)
        header[name] = {"dtype": names[t.dtype], "shape": list(t.shape), "data_offsets": [offset, end]}
        parts.append(part)
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".part", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.writelines(parts)
    os.replace(path + ".part", path)


def build_model(name, num_classes):
    """torchvision's model of that name; of "alexnet" the variant for 32x32 pictures, whose stem and first pool are small."""
    model = getattr(torchvision.models, name)(num_classes=num_classes)
    if name == "alexnet":
        model.features[0] = torch.nn.Conv2d(3, 64, 3, padding=1)
        model.features[2] = torch.nn.MaxPool2d(2, 2)
    return model


def augmentation(steps, size):
    """Of one picture, f32 [C, H, W] in 0..1. `steps` is None where pictures stay as they are."""
    if steps is None:
        return lambda x: x
    crop = T.RandomCrop(size, padding=steps["padding"])
    return T.Compose([crop, T.RandomHorizontalFlip(), T.ColorJitter(**steps["jitter"]), T.RandomRotation(steps["degrees"])])


class Pictures(torch.utils.data.Dataset):
    """A raw file of 8-bit pictures [N, C, H, W] and one of i32 labels [N]. Items are f32 pictures in 0..1 with labels."""

    def __init__(self, folder, entry, shape, transform=None):
        self.length, self.transform = entry["count"], transform
        size = self.length * shape[0] * shape[1] * shape[2]
        images = torch.from_file(os.path.join(folder, entry["images"]), size=size, dtype=torch.uint8)
        labels = torch.from_file(os.path.join(folder, entry["labels"]), size=self.length, dtype=torch.int32)
        self.images, self.labels = images.reshape(self.length, *shape), labels.long()

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        image = self.images[index].float() / 255
        return self.transform(image) if self.transform else image, self.labels[index]


class Share(torch.utils.data.Sampler):
    """Of each batch of the whole order every `world`-th example from `rank` on, as DistributedSampler deals them out. The
    order's first examples fill up its end, so that all ranks have equally many."""

    def __init__(self, order, batch_size, batches, rank, world):
        self.length, self.batch_size, self.batches = len(order), batch_size, batches
        self.rank, self.world = rank, world
        self.order = order + order[: -len(order) % world]

    def positions(self, batch):
        end = min((batch + 1) * self.batch_size, len(self.order))
        return range(batch * self.batch_size + self.rank, end, self.world)

    def real(self, batch):
        """How many of this rank's examples of a batch are not fillers: these come last."""
        return sum(position < self.length for position in self.positions(batch))

    def __len__(self):
        return self.batches

    def __iter__(self):
        for batch in range(self.batches):
            yield [self.order[position] for position in self.positions(batch)]
