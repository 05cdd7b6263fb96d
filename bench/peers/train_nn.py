"""PyTorch's side of `npm run bench -- train-nn`: one process for one setting of threads. A request in a line of JSON on stdin, the answer in one on stdout."""

import json
import sys
import time
import warnings

import numpy as np
import torch
import torch.nn.functional as F

from bench_networks import BENCH_NETWORKS
from learnable_task import LearnableTask

# That "same" padding of an even kernel copies its input: known, and what the network asks for.
warnings.filterwarnings("ignore", message="Using padding='same'")
WARM_UP_STEPS = 3
BATCHES = 4


class Racer:
    def __init__(self):
        self.network = None

    def open(self, request):
        """Steps on random batches, as fast as it can: see `time`."""
        torch.manual_seed(1)
        network, shape, classes = BENCH_NETWORKS[request["network"]]
        self.network = network()
        self.optimiser = self.adamw(request["isFused"])
        self.batches = [(torch.randn(shape), torch.randint(0, classes, (shape[0],))) for _ in range(BATCHES)]
        self.taken = 0
        for _ in range(WARM_UP_STEPS):
            self.next_step()
        return {}

    def time(self, request):
        milliseconds, end = [], time.perf_counter() + request["seconds"]
        while time.perf_counter() < end or not milliseconds:
            start = time.perf_counter()
            self.next_step()
            milliseconds.append((time.perf_counter() - start) * 1_000)
        return {"milliseconds": milliseconds}

    def train(self, request):
        """From given parameters, over given items in their order; then the loss of the items held out."""
        network, shape, classes = BENCH_NETWORKS[request["network"]]
        self.network = network().train()
        start, offset = np.fromfile(request["parameters"], np.float32), 0
        for slot in self.network.slots():
            size = int(np.prod(slot.shape))
            slot.write(start[offset : offset + size])
            offset += size
        if offset != start.size:
            raise ValueError(f"{start.size} parameters were given, the network has {offset}")
        self.optimiser = self.adamw(False)
        task = LearnableTask(shape[1:], classes, request["stride"], request["channels"], request["strength"])
        order, losses = np.fromfile(request["order"], np.uint32), []
        for first in range(0, len(order), shape[0]):
            items = order[first : first + shape[0]]
            losses.append(self.step(torch.from_numpy(task.features(items)), torch.from_numpy(task.labels(items))))
        return {"firstLoss": losses[0], "lastLoss": losses[-1], "heldOutLoss": self.held_out(task, request["heldOut"], shape[0])}

    def held_out(self, task, span, batch):
        self.network.eval()
        total = 0.0
        with torch.no_grad():
            for first in range(span["from"], span["to"], batch):
                items = np.arange(first, min(first + batch, span["to"]))
                answer = self.network(torch.from_numpy(task.features(items)))
                total += F.cross_entropy(answer, torch.from_numpy(task.labels(items)), reduction="sum").item()
        return total / (span["to"] - span["from"])

    def adamw(self, is_fused):
        trained = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        return torch.optim.AdamW(trained, lr=1e-3, weight_decay=0.01, fused=True if is_fused else None)

    def next_step(self):
        self.step(*self.batches[self.taken % BATCHES])
        self.taken += 1

    def step(self, features, labels):
        self.optimiser.zero_grad()
        loss = F.cross_entropy(self.network(features), labels)
        loss.backward()
        self.optimiser.step()
        return loss.item()


def main():
    torch.set_num_threads(int(sys.argv[1]))
    # As our runtime does: weights that decay towards zero would cost a hundred times.
    torch.set_flush_denormal(True)
    racer = Racer()
    print(json.dumps({"version": torch.__version__}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            print(json.dumps(getattr(racer, request["do"])(request)), flush=True)
        except Exception as error:
            print(json.dumps({"failure": f"{type(error).__name__}: {error}"}), flush=True)


if __name__ == "__main__":
    main()
