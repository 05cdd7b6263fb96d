"""Writes the fixtures of test/training/reference-gradients.test.ts: the gradient of each whole network, by PyTorch in float64.

Run in this folder, with PyTorch 2.13 and NumPy:  python reference_gradients.py ../../test/training/reference-gradients [name …]
and then  npx biome format --write test/training/reference-gradients

No number that both sides can compute is stored: parameters, inputs, targets, weights and noise come from seeded_numbers.py. Of the gradient are kept, for
each parameter: all of it where it has at most BUCKETS elements, else a count sketch (Charikar, Chen, Farach-Colton 2002): each element is added, with a seeded
sign, to one of BUCKETS sums. The squared length of a sketch is that of the vector on average, with a relative deviation of at most sqrt(2 / BUCKETS): the length
of a difference is known to 6 %, and exactly where one element alone is wrong.
"""

import base64
import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from bench_networks import BENCH_NETWORKS
from family_networks import FAMILY_NETWORKS
from seeded_numbers import seeded_bits, seeded_signs, seeded_uniform

BUCKETS = 128
SEEDS = {"inputs": 1, "targets": 2, "weights": 3, "noise": 4, "parameters": 1_000, "sketch": 2_000}


def start_of(name, shape):
    """(scale, offset) of the uniform numbers that a parameter starts from: gains near 1, shifts near 0, matrices and kernels by sqrt(2 / fanIn)."""
    last = name.rsplit(".", 1)[-1]
    if last.endswith(("gain", "scale")):
        return 0.2, 1.0
    if last.endswith(("bias", "shift", "share", "weight")):
        return 0.1, 0.0
    fan_in = shape[0] if len(shape) == 2 else int(np.prod(shape[1:]))
    return float(np.sqrt(2 / fan_in)), 0.0


def sketch(values, seed):
    if values.size <= BUCKETS:
        return values
    bits = seeded_bits(seed, 0, values.size)
    return np.bincount(bits >> np.uint32(1) & np.uint32(BUCKETS - 1), weights=values * seeded_signs(seed, values.size), minlength=BUCKETS)


def fixture(name, group, case):
    slots, answer, loss = differentiated(case, torch.float64)
    gradients = [slot.gradient() for slot in slots]
    single = [slot.gradient() for slot in differentiated(case, torch.float32)[0]]
    parameters = []
    for index, (slot, gradient) in enumerate(zip(slots, gradients)):
        scale, offset = (float(np.float32(number)) for number in start_of(slot.name, slot.shape))
        kept = base64.b64encode(sketch(gradient, SEEDS["sketch"] + index).astype("<f8").tobytes()).decode()
        norm = float(np.linalg.norm(gradient))
        parameters.append({"name": slot.name, "shape": list(slot.shape), "scale": scale, "offset": offset, "norm": norm, "sketch": kept})
    whole = np.concatenate(gradients)
    return {
        "network": name,
        "group": group,
        "made": f"PyTorch {torch.__version__.split('+')[0]}, float64",
        "shape": list(case.shape),
        "outputs": answer.shape[1],
        "loss": case.loss,
        "noise": case.noise,
        "lossValue": loss.item(),
        "norm": float(np.linalg.norm(whole)),
        "errorOfFloat32": float(f"{np.linalg.norm(np.concatenate(single) - whole) / np.linalg.norm(whole):.2g}"),
        "parameters": parameters,
    }


def differentiated(case, precision):
    """The network's slots with their gradients, its answer and its loss, all at the seeded place."""
    network = case.network().to(precision).train()
    slots = network.slots()
    for index, slot in enumerate(slots):
        scale, offset = (np.float32(number) for number in start_of(slot.name, slot.shape))
        slot.write(scale * seeded_uniform(SEEDS["parameters"] + index, 0, int(np.prod(slot.shape))) + offset)
    if case.noise > 0:
        network.noise = torch.from_numpy((seeded_uniform(SEEDS["noise"], 0, case.noise) + np.float32(1)) / np.float32(2)).to(precision)
    inputs = np.float32(1.75) * seeded_uniform(SEEDS["inputs"], 0, int(np.prod(case.shape)))
    answer = network(torch.from_numpy(inputs.reshape(case.shape)).to(precision))
    loss = loss_of(answer, case.loss)
    loss.backward()
    return slots, answer, loss


def loss_of(answer, loss):
    rows, outputs = answer.shape
    if loss == "cross-entropy":
        wanted = torch.from_numpy((seeded_bits(SEEDS["targets"], 0, rows) % np.uint32(outputs)).astype(np.int64))
        weights = torch.from_numpy((1 + seeded_bits(SEEDS["weights"], 0, rows) % np.uint32(2)).astype(np.int64)).to(answer.dtype)
        return (weights * F.cross_entropy(answer, wanted, reduction="none")).sum() / weights.sum()
    targets = torch.from_numpy(seeded_uniform(SEEDS["targets"], 0, rows * outputs).reshape(rows, outputs)).to(answer.dtype)
    # Every eighth cell or so has no target.
    weights = torch.from_numpy((seeded_bits(SEEDS["weights"], 0, rows * outputs) % np.uint32(8) != 0).reshape(rows, outputs)).to(answer.dtype)
    errors = answer - targets
    parts = {"squared": errors.square(), "huber": F.huber_loss(answer, targets, reduction="none")}[loss]
    return (weights * parts).sum() / weights.sum()


def main():
    folder, names = Path(sys.argv[1]), sys.argv[2:]
    folder.mkdir(parents=True, exist_ok=True)
    for group, cases in (("bench", bench_cases()), ("family", family_cases())):
        for name, case in cases.items():
            file = f"{group}-{name}"
            if names and file not in names:
                continue
            content = fixture(name, group, case)
            path = folder / f"{file}.json"
            path.write_text(json.dumps(content, indent=1) + "\n")
            print(f"{file}: {sum(int(np.prod(p['shape'])) for p in content['parameters'])} parameters, loss {content['lossValue']:.6f}, {path.stat().st_size} bytes")


def bench_cases():
    """Few rows and short times: the shapes of the layers are those of the race."""
    shapes = {"mlp": (16, 40), "lstm": (4, 25, 40), "resnet1d": (4, 160, 48), "deeplob": (2, 25, 40), "transformer": (2, 100, 40)}
    return {name: Case(network, shapes[name]) for name, (network, _, _) in BENCH_NETWORKS.items()}


def family_cases():
    return {name: Case(network, shape, loss, noise) for name, (network, shape, loss, noise) in FAMILY_NETWORKS.items()}


class Case:
    def __init__(self, network, shape, loss="cross-entropy", noise=0):
        self.network, self.shape, self.loss, self.noise = network, shape, loss, noise


if __name__ == "__main__":
    main()
