"""The five networks of the race, as one writes them in PyTorch; bench/networks/ has ours.

Each tells its parameters in our order, names and layout (`slots`), so that both start from the same numbers and gradients can be compared.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F

from slots import Slot, batch_norm, convolution, layer_norm, linear, lstm, prefixed


class Mlp(nn.Module):
    """40-100-50-2, ReLU."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(40, 100), nn.Linear(100, 50), nn.Linear(50, 2)])

    def forward(self, x):
        first, second, output = self.layers
        return output(F.relu(second(F.relu(first(x)))))

    def slots(self):
        first, second, output = self.layers
        return [*linear("hidden1", first), *linear("hidden2", second), *linear("output", output)]


class Lstm(nn.Module):
    """One LSTM of 64 over 100 steps, the last state to three classes."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(40, 64, batch_first=True)
        self.output = nn.Linear(64, 3)

    def forward(self, x):
        return self.output(self.lstm(x)[0][:, -1])

    def slots(self):
        return [*lstm("lstm", self.lstm), *linear("output", self.output)]


class ResNet1d(nn.Module):
    """Eight convolutions with batch norm over [160 channels, 512 steps]: one of 7 taps, three residual blocks (5 and 3 taps), one of 3 to 128 channels."""

    def __init__(self):
        super().__init__()
        self.stem = _ConvolutionAndNorm(160, 64, 7)
        self.blocks = nn.ModuleList([nn.ModuleList([_ConvolutionAndNorm(64, 64, 5), _ConvolutionAndNorm(64, 64, 3)]) for _ in range(3)])
        self.last = _ConvolutionAndNorm(64, 128, 3)
        self.output = nn.Linear(128, 3)

    def forward(self, x):
        x = F.relu(self.stem(x))
        for first, second in self.blocks:
            x = F.relu(x + second(F.relu(first(x))))
        return self.output(F.relu(self.last(x)).mean(2))

    def slots(self):
        blocks = [
            slot
            for index, (first, second) in enumerate(self.blocks, start=1)
            for slot in prefixed(f"block{index}", [*first.slots("first"), *second.slots("second")])
        ]
        return [*self.stem.slots("stem"), *blocks, *self.last.slots("last"), *linear("output", self.output)]


class _ConvolutionAndNorm(nn.Module):
    def __init__(self, inputs, outputs, taps):
        super().__init__()
        self.convolution = nn.Conv1d(inputs, outputs, taps, padding=taps // 2, bias=False)
        self.norm = nn.BatchNorm1d(outputs)

    def forward(self, x):
        return self.norm(self.convolution(x))

    def slots(self, name):
        return [*convolution(name, self.convolution), *batch_norm(name, self.norm)]


class DeepLob(nn.Module):
    """DeepLOB (Zhang, Zohren, Roberts 2019) as the paper has it: LeakyReLU 0.01, no batch norm."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([_book_block(1, (1, 2), (1, 2)), _book_block(32, (1, 2), (1, 2)), _book_block(32, (1, 10), (1, 1))])
        self.narrow = nn.ModuleList([nn.Conv1d(32, 64, 1), nn.Conv1d(64, 64, 3, padding=1)])
        self.wide = nn.ModuleList([nn.Conv1d(32, 64, 1), nn.Conv1d(64, 64, 5, padding=2)])
        self.pooled = nn.Conv1d(32, 64, 1)
        self.lstm = nn.LSTM(192, 64, batch_first=True)
        self.output = nn.Linear(64, 3)

    def forward(self, x):
        x = x.unsqueeze(1)
        for block in self.blocks:
            for layer in block:
                x = F.leaky_relu(layer(x), 0.01)
        x = x.squeeze(3)
        parts = [self.chain(self.narrow, x), self.chain(self.wide, x), F.leaky_relu(self.pooled(F.max_pool1d(x, 3, 1, 1)), 0.01)]
        return self.output(self.lstm(torch.cat(parts, 1).transpose(1, 2))[0][:, -1])

    @staticmethod
    def chain(layers, x):
        for layer in layers:
            x = F.leaky_relu(layer(x), 0.01)
        return x

    def slots(self):
        slots = []
        for index, block in enumerate(self.blocks, start=1):
            names = ("across", "along1", "along2")
            slots += prefixed(f"block{index}", [slot for name, layer in zip(names, block) for slot in convolution(name, layer)])
        for name, branch in (("narrow", self.narrow), ("wide", self.wide)):
            slots += prefixed(name, [*convolution("point", branch[0]), *convolution("along", branch[1])])
        return [*slots, *convolution("pooled", self.pooled), *lstm("lstm", self.lstm), *linear("output", self.output)]


def _book_block(inputs, size, stride):
    # padding="same" pads one step before and two after the four rows.
    return nn.ModuleList([nn.Conv2d(inputs, 32, size, stride), *(nn.Conv2d(32, 32, (4, 1), padding="same") for _ in range(2))])


class Transformer(nn.Module):
    """Two pre-norm encoder layers, width 64, four heads, feed-forward 256, learnt positions over 100 steps, the mean of all steps to three classes."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Linear(40, 64)
        self.positions = nn.Parameter(torch.zeros(100, 64))
        self.layers = nn.ModuleList([_EncoderLayer() for _ in range(2)])
        self.output = nn.Linear(64, 3)

    def forward(self, x):
        x = self.embedding(x) + self.positions
        for layer in self.layers:
            x = layer(x)
        return self.output(x.mean(1))

    def slots(self):
        layers = [slot for index, layer in enumerate(self.layers, start=1) for slot in prefixed(f"layer{index}", layer.slots())]
        return [*linear("embedding", self.embedding), Slot("positions", self.positions), *layers, *linear("output", self.output)]


class _EncoderLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention_norm, self.feed_norm = nn.LayerNorm(64), nn.LayerNorm(64)
        # Queries, keys and values in one product: faster than three in PyTorch.
        self.projections, self.mixed = nn.Linear(64, 192), nn.Linear(64, 64)
        self.wide, self.narrow = nn.Linear(64, 256), nn.Linear(256, 64)

    def forward(self, x):
        batch, steps, _ = x.shape
        queries, keys, values = self.projections(self.attention_norm(x)).view(batch, steps, 3, 4, 16).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(queries, keys, values).transpose(1, 2).reshape(batch, steps, 64)
        x = x + self.mixed(attended)
        return x + self.narrow(F.relu(self.wide(self.feed_norm(x))))

    def slots(self):
        return [
            *layer_norm("attention_norm", self.attention_norm),
            *linear("projections", self.projections),
            *linear("mixed", self.mixed),
            *layer_norm("feed_norm", self.feed_norm),
            *linear("wide", self.wide),
            *linear("narrow", self.narrow),
        ]


"""name -> (network, the shape of a batch, classes)"""
BENCH_NETWORKS = {
    "mlp": (Mlp, (256, 40), 2),
    "lstm": (Lstm, (64, 100, 40), 3),
    "resnet1d": (ResNet1d, (16, 160, 512), 3),
    "deeplob": (DeepLob, (32, 100, 40), 3),
    "transformer": (Transformer, (32, 100, 40), 3),
}
