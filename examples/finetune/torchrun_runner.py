"""Trains by a recipe of `npm run example:finetune -- --engine torchrun`, in as many processes as torchrun starts:

  torchrun --nproc_per_node 2 examples/finetune/torchrun_runner.py runs/NAME/torchrun/recipe.json

Rank 0 writes last.safetensors and best.safetensors, and prints what happens, a JSON object a line.
"""

import gc
import json
import os
import sys
import time

import torch
import torch.distributed as dist
import torch.nn.functional as F
import torchvision
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import DataLoader
from torchrun_parts import Pictures, Share, augmentation, build_model, load_safetensors, save_safetensors

RANK, WORLD, LOCAL_RANK = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
GPUS = torch.cuda.device_count()
DEVICE = torch.device("cuda", LOCAL_RANK) if GPUS else torch.device("cpu")


def say(event, **values):
    if RANK == 0:
        print(json.dumps({"event": event, **values}), flush=True)


def whole(values):
    """The sum over all ranks."""
    dist.all_reduce(values)
    return values


class Trainer:
    def __init__(self, path):
        with open(path) as file:
            self.recipe = recipe = json.load(file)
        self.folder = os.path.dirname(os.path.abspath(path))
        if recipe["processes"] != WORLD:
            raise ValueError(f"the recipe is for {recipe['processes']} processes, and torchrun started {WORLD}")
        shape, statistics = recipe["shape"], (recipe["mean"], recipe["std"])
        self.mean, self.std = (torch.tensor(v, device=DEVICE).reshape(1, -1, 1, 1) for v in statistics)
        transform = augmentation(recipe["augmentation"], shape[1:])
        self.train_set = Pictures(self.folder, recipe["train"], shape, transform)
        self.test_set = Pictures(self.folder, recipe["test"], shape)
        self.model = build_model(recipe["model"], recipe["numClasses"])
        self.model.load_state_dict(load_safetensors(os.path.join(self.folder, recipe["weights"])))
        self.model.to(DEVICE)
        rates = recipe["optimizer"]
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=rates["lr"], weight_decay=rates["weightDecay"])
        self.scheduler = ReduceLROnPlateau(self.optimizer, **recipe["schedule"])
        self.parallel = None

    def begin(self, phase):
        """DistributedDataParallel looks once at which parameters learn: each phase has its own."""
        for name, p in self.model.named_parameters():
            p.requires_grad_(phase == "released" or name.startswith(self.recipe["head"] + "."))
        self.optimizer.zero_grad(set_to_none=True)
        if phase == "released":
            self.optimizer.param_groups[0]["lr"] = self.recipe["optimizer"]["unfreezeLr"]
        # The hooks of the one before must be gone first.
        self.parallel = None
        gc.collect()
        self.parallel = DistributedDataParallel(self.model, device_ids=[LOCAL_RANK] if GPUS else None)

    def share(self, epoch):
        """The order of all epochs is a file of i32 [epochs, N]."""
        count, path = self.recipe["train"]["count"], os.path.join(self.folder, self.recipe["order"])
        order = torch.from_file(path, size=self.recipe["epochs"] * count, dtype=torch.int32)
        order = order[(epoch - 1) * count : epoch * count].tolist()
        return Share(order, self.recipe["batchSize"], self.recipe["batches"], RANK, WORLD)

    def normalized(self, images):
        return (images.to(DEVICE, non_blocking=True) - self.mean) / self.std

    def train(self, epoch):
        """Of each batch the sum of losses, of right answers, and of examples."""
        self.model.train()
        share = self.share(epoch)
        # Beside a GPU pictures are augmented by other processes; on a CPU these would only take cores from the step.
        workers = min(8, max(1, (os.cpu_count() or 1) // GPUS)) if GPUS else 0
        loader = DataLoader(self.train_set, batch_sampler=share, num_workers=workers, pin_memory=GPUS > 0)
        sums = []
        for batch, (images, labels) in enumerate(loader):
            labels = labels.to(DEVICE, non_blocking=True)
            self.optimizer.zero_grad(set_to_none=True)
            logits = self.parallel(self.normalized(images))
            losses = F.cross_entropy(logits, labels, reduction="none")
            losses.mean().backward()
            self.optimizer.step()
            n = share.real(batch)
            right = (logits[:n].argmax(1) == labels[:n]).sum()
            count = torch.tensor(n, device=DEVICE)
            sums.append(torch.stack([v.double() for v in (losses[:n].detach().sum(), right, count)]))
            say("batch", images=min(self.recipe["batchSize"], share.length - batch * self.recipe["batchSize"]))
        return whole(torch.stack(sums)).tolist()

    @torch.no_grad()
    def test(self):
        """Mean loss and accuracy. Statistics of batch norm are rank 0's, as its files have them."""
        for buffer in self.model.buffers():
            dist.broadcast(buffer, 0)
        self.model.eval()
        sums = torch.zeros(2, dtype=torch.float64, device=DEVICE)
        for indices in torch.arange(RANK, len(self.test_set), WORLD).split(100):
            logits = self.model(self.normalized(self.test_set.images[indices].float() / 255))
            labels = self.test_set.labels[indices].to(DEVICE)
            sums[0] += F.cross_entropy(logits, labels, reduction="sum")
            sums[1] += (logits.argmax(1) == labels).sum()
        loss, right = whole(sums).tolist()
        return loss / len(self.test_set), right / len(self.test_set)

    def save(self, name):
        if RANK == 0:
            save_safetensors(self.model.state_dict(), os.path.join(self.folder, self.recipe["out"], name))

    def run(self):
        phase, best = None, float("inf")
        for epoch in range(1, self.recipe["epochs"] + 1):
            before, phase = phase, "frozen" if epoch <= self.recipe["freezeEpochs"] else "released"
            if phase != before:
                self.begin(phase)
            say("epoch", epoch=epoch, phase=phase)
            lr, start = self.optimizer.param_groups[0]["lr"], time.perf_counter()
            sums = self.train(epoch)
            seconds = time.perf_counter() - start
            loss, right, images = (sum(column) for column in zip(*sums))
            test_loss, test_acc = self.test()
            self.scheduler.step(test_loss)
            self.save("last.safetensors")
            if test_loss < best:
                best = test_loss
                self.save("best.safetensors")
            record = {
                **{"epoch": epoch, "phase": phase, "trainLoss": loss / images, "testLoss": test_loss, "lr": lr},
                **{"trainAcc": right / images, "testAcc": test_acc},
                **{"seconds": seconds, "imagesPerSecond": images / seconds},
            }
            say("result", record=record, iterations=[batch[0] / batch[2] for batch in sums])


def main():
    if GPUS and LOCAL_RANK >= GPUS:
        raise ValueError(f"{GPUS} GPUs are too few for {LOCAL_RANK + 1} processes: give a smaller --nproc")
    if GPUS:
        torch.cuda.set_device(DEVICE)
    dist.init_process_group("nccl" if GPUS else "gloo")
    versions = {"torch": torch.__version__, "torchvision": torchvision.__version__}
    device = torch.cuda.get_device_name(DEVICE) if GPUS else f"CPU (threads: {torch.get_num_threads()})"
    say("start", **versions, device=device, backend=dist.get_backend(), processes=WORLD)
    trainer = Trainer(sys.argv[1])
    torch.manual_seed(trainer.recipe["seed"] + RANK)
    trainer.run()
    dist.destroy_process_group()


main()
