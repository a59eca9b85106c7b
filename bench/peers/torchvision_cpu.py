"""torchvision's transforms on the CPU: medians in milliseconds, one JSON object on the last line."""

import json
import os
import statistics
import sys
import time
import warnings

import numpy
import torch
import torchvision.transforms as T
from PIL import Image

warnings.simplefilter("ignore")
torch.set_num_threads(len(os.sched_getaffinity(0)))
HEIGHT, WIDTH, BATCH, SAMPLES = (int(v) for v in sys.argv[1:5])

generator = torch.Generator().manual_seed(1)
bytes_ = (torch.rand(3, HEIGHT, WIDTH, generator=generator) * 256).to(torch.uint8)
floats = bytes_.float() / 255
picture = Image.fromarray(numpy.ascontiguousarray(bytes_.permute(1, 2, 0).numpy()))
batch = floats.expand(BATCH, -1, -1, -1).contiguous()
small = picture.resize((224, 224))

normalize = T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
evaluation = T.Compose([T.Resize(256), T.CenterCrop(224), T.ToTensor(), normalize])
training = T.Compose([T.RandomResizedCrop(224), T.RandomHorizontalFlip(), T.ToTensor(), normalize])
augmentation = T.Compose([T.RandAugment(), T.ToTensor()])
resize, tensor_resize = T.Resize(256), T.Resize(256, antialias=True)


def each(transform, image):
    return lambda: torch.stack([transform(image) for _ in range(BATCH)])


figures = {
    "photo resize pil": lambda: resize(picture),
    "photo resize tensor": lambda: tensor_resize(floats),
    "photo evaluation pil": lambda: evaluation(picture),
    "batch resize pil": lambda: [resize(picture) for _ in range(BATCH)],
    "batch resize tensor": lambda: tensor_resize(batch),
    "batch evaluation pil": each(evaluation, picture),
    "batch training pil": each(training, picture),
    "batch augmentation pil": each(augmentation, small),
}


def median(f):
    f()
    samples = []
    for _ in range(SAMPLES):
        start = time.perf_counter()
        f()
        samples.append(1000 * (time.perf_counter() - start))
    return statistics.median(samples)


print(json.dumps({name: median(f) for name, f in figures.items()}))
