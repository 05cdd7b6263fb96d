"""The networks of the model families (training/networks/), in PyTorch, each with its parameters in our order, names and layout.

Written from the papers and from what our files say, not for speed. Sizes are those called `paper`; inputs are [rows, time, features] or [rows, features].
"""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from slots import Slot, batch_norm, convolution, gru, layer_norm, linear, lstm, prefixed

LEAK = 0.01


class Dense(nn.Module):
    """Layers of these widths, an activation behind each but the last."""

    def __init__(self, widths, activation, names):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(inputs, outputs) for inputs, outputs in zip(widths, widths[1:])])
        self.activation, self.names = activation, names

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return self.layers[-1](x)

    def slots(self):
        return [slot for name, layer in zip(self.names, self.layers) for slot in linear(name, layer)]


def hidden_names(count):
    return [*(f"hidden{index + 1}" for index in range(count)), "output"]


def leaky(x):
    return F.leaky_relu(x, LEAK)


class Recurrent(nn.Module):
    """One recurrent layer, its last state through dense ones."""

    def __init__(self, layer, widths, activation):
        super().__init__()
        self.layer = layer
        self.head = Dense(widths, activation, hidden_names(len(widths) - 2))

    def forward(self, x):
        last = self.layer(x)[1]
        last = last[0] if isinstance(last, tuple) else last
        # [directions, rows, hidden]: of the reverse direction the state after the first step.
        return self.head(last.transpose(0, 1).flatten(1))

    def slots(self):
        if isinstance(self.layer, nn.GRU):
            return [*gru("recurrent1", self.layer), *self.head.slots()]
        if not self.layer.bidirectional:
            return [*lstm("recurrent1", self.layer), *self.head.slots()]
        forward, reverse = lstm("lstm", self.layer), lstm("lstm", self.layer, "_reverse")
        return [*prefixed("recurrent1.forward", forward), *prefixed("recurrent1.reverse", reverse), *self.head.slots()]


class Encoder(nn.Module):
    """To a code between -1 and 1."""

    def __init__(self, inputs):
        super().__init__()
        self.hidden, self.code = nn.Linear(inputs, 64), nn.Linear(64, 16)

    def forward(self, x):
        return torch.tanh(self.code(F.silu(self.hidden(x))))

    def slots(self):
        return [*linear("encoder.hidden", self.hidden), *linear("encoder.code", self.code)]


class Coded(nn.Module):
    """A window's code, then two dense layers: back to the window, or to forecasts."""

    def __init__(self, outputs, names):
        super().__init__()
        self.encoder = Encoder(400)
        self.head = Dense([16, 64, outputs], F.silu, names)

    def forward(self, x):
        return self.head(self.encoder(x.flatten(1)))

    def slots(self):
        return [*self.encoder.slots(), *self.head.slots()]


class CodedLstm(nn.Module):
    """A code for each row, read by an LSTM."""

    def __init__(self):
        super().__init__()
        self.encoder, self.lstm, self.output = Encoder(40), nn.LSTM(16, 64, batch_first=True), nn.Linear(64, 12)

    def forward(self, x):
        return self.output(self.lstm(self.encoder(x))[0][:, -1])

    def slots(self):
        return [*self.encoder.slots(), *lstm("recurrent", self.lstm), *linear("output", self.output)]


class ConvolutionalAutoencoder(nn.Module):
    """40 columns over 32 rows, halved twice, to a code of 16, and back by repeating each step."""

    def __init__(self):
        super().__init__()
        self.closing = nn.ModuleList([nn.Conv1d(40, 32, 4, 2, 1), nn.Conv1d(32, 16, 4, 2, 1)])
        self.code, self.hidden = nn.Linear(128, 16), nn.Linear(16, 128)
        self.opening = nn.ModuleList([nn.Conv1d(16, 32, 3, padding=1), nn.Conv1d(32, 40, 3, padding=1)])

    def forward(self, x):
        x = x.transpose(1, 2)
        for layer in self.closing:
            x = F.silu(layer(x))
        x = F.silu(self.hidden(torch.tanh(self.code(x.flatten(1))))).view(-1, 16, 8)
        x = F.silu(self.opening[0](x.repeat_interleave(2, 2)))
        return self.opening[1](x.repeat_interleave(2, 2)).transpose(1, 2).flatten(1)

    def slots(self):
        closing = [slot for index, layer in enumerate(self.closing, 1) for slot in convolution(f"encoder.convolution{index}", layer)]
        opening = [slot for index, layer in enumerate(self.opening, 1) for slot in convolution(f"decoder.convolution{index}", layer)]
        return [*closing, *linear("encoder.code", self.code), *linear("decoder.hidden", self.hidden), *opening]


class BilinearNormalisation(nn.Module):
    """Tran, Kanniainen, Gabbouj, Iosifidis 2021: z-scores over time and over features, mixed by two positive weights."""

    def __init__(self, time, features):
        super().__init__()
        self.time_scale, self.time_shift = nn.Parameter(torch.ones(features)), nn.Parameter(torch.zeros(features))
        self.feature_scale, self.feature_shift = nn.Parameter(torch.ones(time)), nn.Parameter(torch.zeros(time))
        self.time_weight, self.feature_weight = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))

    def forward(self, x):
        over_time = standard(x, 1) * self.time_scale + self.time_shift
        over_features = standard(x, 2) * self.feature_scale[:, None] + self.feature_shift[:, None]
        return F.softplus(self.time_weight) * over_time + F.softplus(self.feature_weight) * over_features

    def slots(self):
        def column(t):
            return t[:, None]

        def row(t):
            return t[None]

        return prefixed(
            "normalisation",
            [
                Slot("time_scale", self.time_scale, column),
                Slot("time_shift", self.time_shift, column),
                Slot("feature_scale", self.feature_scale, row),
                Slot("feature_shift", self.feature_shift, row),
                Slot("time_weight", self.time_weight),
                Slot("feature_weight", self.feature_weight),
            ],
        )


def standard(x, axis):
    return (x - x.mean(axis, keepdim=True)) / torch.sqrt(x.var(axis, unbiased=False, keepdim=True) + 1e-5)


class WithNoise(nn.Module):
    """Dropout that is told its uniform numbers, `noise`, rather than drawing them."""

    def drop(self, x, rate):
        if not hasattr(self, "used"):
            self.used = 0
        noise = self.noise[self.used : self.used + x.numel()].view(x.shape)
        self.used += x.numel()
        return x * (noise > rate) / (1 - rate)


class Binctabl(WithNoise):
    """BiN, two bilinear layers, one with temporal attention (Tran, Iosifidis, Kanniainen, Gabbouj 2019)."""

    def __init__(self):
        super().__init__()
        self.normalisation = BilinearNormalisation(10, 40)
        # Y = relu(W1 X W2 + B) with X [features, time].
        self.sides = nn.ParameterList([nn.Parameter(torch.zeros(60, 40)), nn.Parameter(torch.zeros(120, 60))])
        self.times = nn.ParameterList([nn.Parameter(torch.zeros(10, 10)), nn.Parameter(torch.zeros(10, 5))])
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(60, 10)), nn.Parameter(torch.zeros(120, 5))])
        self.last_side, self.last_time = nn.Parameter(torch.zeros(12, 120)), nn.Parameter(torch.zeros(5, 1))
        self.scores, self.share, self.last_bias = nn.Parameter(torch.zeros(5, 5)), nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(12))

    def forward(self, x):
        x = self.normalisation(x).transpose(1, 2)
        for side, time, bias in zip(self.sides, self.times, self.biases):
            # The noise lies as [rows, time, features].
            x = self.drop(F.relu(side @ x @ time + bias).transpose(1, 2), 0.1).transpose(1, 2)
        mixed, eye = self.last_side @ x, torch.eye(5, dtype=x.dtype)
        attention = torch.softmax(mixed @ (self.scores * (1 - eye) + eye / 5), 2)
        share = torch.sigmoid(self.share)
        return ((share * mixed * attention + (1 - share) * mixed) @ self.last_time).squeeze(2) + self.last_bias

    def slots(self):
        slots = self.normalisation.slots()
        for index, (side, time, bias) in enumerate(zip(self.sides, self.times, self.biases), 1):
            of_features = Slot("of_features", side, lambda t: t.transpose(0, 1))
            slots += prefixed(f"bilinear{index}", [of_features, Slot("of_time", time), Slot("bias", bias)])
        of_features = Slot("of_features", self.last_side, lambda t: t.transpose(0, 1))
        rest = [Slot("scores", self.scores), Slot("share", self.share), Slot("of_time", self.last_time), Slot("bias", self.last_bias)]
        return [*slots, *prefixed("attention", [of_features, *rest])]


class DeepLob(nn.Module):
    """DeepLOB (Zhang, Zohren, Roberts 2019) with tanh in the second block and batch norm behind each activation."""

    def __init__(self):
        super().__init__()
        along = dict(kernel_size=(4, 1), padding="same")
        self.blocks = nn.ModuleList(
            nn.ModuleList([nn.Conv2d(inputs, 32, across, stride), nn.Conv2d(32, 32, **along), nn.Conv2d(32, 32, **along)])
            for inputs, across, stride in ((1, (1, 2), (1, 2)), (32, (1, 2), (1, 2)), (32, (1, 10), 1))
        )
        self.three = nn.ModuleList([nn.Conv2d(32, 64, 1), nn.Conv2d(64, 64, (3, 1), padding="same")])
        self.five = nn.ModuleList([nn.Conv2d(32, 64, 1), nn.Conv2d(64, 64, (5, 1), padding="same")])
        self.pooled = nn.Conv2d(32, 64, 1)
        self.norms = nn.ModuleDict()
        for name, layer in self.layers():
            self.norms[name.replace(".", "_")] = nn.BatchNorm2d(layer.out_channels)
        self.lstm, self.output = nn.LSTM(192, 64, batch_first=True), nn.Linear(64, 12)

    def layers(self):
        names = ("across", "time1", "time2")
        blocks = [(f"block{index}.{name}", layer) for index, block in enumerate(self.blocks, 1) for name, layer in zip(names, block)]
        branches = [("three", self.three), ("five", self.five)]
        inception = [(f"inception.{branch}.{end}", layer) for branch, layers in branches for end, layer in zip(("in", "out"), layers)]
        return [*blocks, *inception, ("inception.pooled", self.pooled)]

    def forward(self, x):
        layers = dict(self.layers())

        def convolved(name, x, activation=leaky):
            return self.norms[name.replace(".", "_")](activation(layers[name](x)))

        x = x.unsqueeze(1)
        for index, activation in enumerate((leaky, torch.tanh, leaky), 1):
            for name in ("across", "time1", "time2"):
                x = convolved(f"block{index}.{name}", x, activation)
        three = convolved("inception.three.out", convolved("inception.three.in", x))
        five = convolved("inception.five.out", convolved("inception.five.in", x))
        pooled = convolved("inception.pooled", F.max_pool2d(x, (3, 1), 1, (1, 0)))
        steps = torch.cat([three, five, pooled], 1).squeeze(3).transpose(1, 2)
        return self.output(self.lstm(steps)[0][:, -1])

    def slots(self):
        slots = []
        for name, layer in self.layers():
            slots += [*convolution(name, layer), *batch_norm(f"{name}.norm", self.norms[name.replace(".", "_")])]
        return [*slots, *lstm("recurrent", self.lstm), *linear("output", self.output)]


class ResNet1d(WithNoise):
    """Six blocks of [SiLU, dropout 0.2, convolution 3] twice around a shortcut; where the channels double it is padded with zeros on both sides."""

    def __init__(self):
        super().__init__()
        self.entry = nn.Conv1d(180, 64, 3, padding=1)
        channels = [64, 64, 64, 64, 64, 128, 128]
        self.blocks = nn.ModuleList(
            nn.ModuleList([nn.Conv1d(inputs, outputs, 3, padding=1), nn.Conv1d(outputs, outputs, 3, padding=1)])
            for inputs, outputs in zip(channels, channels[1:])
        )
        self.pooled, self.output = nn.Linear(128, 20), nn.Linear(20, 20)

    def forward(self, x):
        x = self.entry(x.transpose(1, 2))
        for first, second in self.blocks:
            inner = second(self.drop(F.silu(first(self.drop(F.silu(x), 0.2))), 0.2))
            missing = inner.shape[1] - x.shape[1]
            x = inner + F.pad(x, (0, 0, missing // 2, missing - missing // 2))
        return self.output(self.pooled(F.silu(x).mean(2)))

    def slots(self):
        blocks = [
            slot
            for index, block in enumerate(self.blocks, 1)
            for name, layer in zip(("convolution1", "convolution2"), block)
            for slot in convolution(f"block{index}.{name}", layer)
        ]
        return [*convolution("entry", self.entry), *blocks, *linear("pooled", self.pooled), *linear("output", self.output)]


class Perceptron(nn.Module):
    """Dense, GELU, dense; a shortcut and layer norm where the width stays, else GELU."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.open, self.close = nn.Linear(inputs, 4 * inputs), nn.Linear(4 * inputs, outputs)
        self.norm = nn.LayerNorm(outputs) if inputs == outputs else None

    def forward(self, x):
        closed = self.close(F.gelu(self.open(x)))
        return F.gelu(closed) if self.norm is None else self.norm(x + closed)

    def slots(self):
        norm = [] if self.norm is None else layer_norm("norm", self.norm)
        return [*linear("open", self.open), *linear("close", self.close), *norm]


class SelfAttention(nn.Module):
    """One head, a shortcut and layer norm, then a perceptron."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.queries, self.keys, self.values, self.joined = (nn.Linear(inputs, inputs) for _ in range(4))
        self.attention_norm, self.perceptron = nn.LayerNorm(inputs), Perceptron(inputs, outputs)

    def forward(self, x):
        attended = F.scaled_dot_product_attention(self.queries(x), self.keys(x), self.values(x))
        return self.perceptron(self.attention_norm(x + self.joined(attended)))

    def slots(self):
        projections = [slot for name in ("queries", "keys", "values", "joined") for slot in linear(name, getattr(self, name))]
        return [*projections, *layer_norm("attention_norm", self.attention_norm), *prefixed("perceptron", self.perceptron.slots())]


class Mixer(nn.Module):
    """MLPLOB and TLOB (Berti and Kasneci 2025): features and time are mixed by turns, and in the last pair narrowed to a quarter."""

    def __init__(self, layer, time, pairs, is_placed):
        super().__init__()
        self.normalisation, self.embedding = BilinearNormalisation(time, 40), nn.Linear(40, 40)
        self.positions = sinusoids(time, 40) if is_placed else None
        last = pairs - 1
        self.pairs = nn.ModuleList(
            nn.ModuleList([layer(40, 10 if pair == last else 40), layer(time, time // 4 if pair == last else time)]) for pair in range(pairs)
        )
        width, self.reduced = 10 * (time // 4), nn.ModuleList()
        while width > 128:
            self.reduced.append(nn.Linear(width, width // 4))
            width //= 4
        self.output = nn.Linear(width, 12)

    def forward(self, x):
        x = self.embedding(self.normalisation(x))
        if self.positions is not None:
            x = x + self.positions.to(x.dtype)
        for plain, turned in self.pairs:
            x = turned(plain(x).transpose(1, 2)).transpose(1, 2)
        x = x.flatten(1)
        for layer in self.reduced:
            x = F.gelu(layer(x))
        return self.output(x)

    def slots(self):
        slots = [*self.normalisation.slots(), *linear("embedding", self.embedding)]
        for index, pair in enumerate(self.pairs, 1):
            for name, layer in zip(("plain", "turned"), pair):
                slots += prefixed(f"pair{index}.{name}", layer.slots())
        reduced = [slot for index, layer in enumerate(self.reduced, 1) for slot in linear(f"reduced{index}", layer)]
        return [*slots, *reduced, *linear("output", self.output)]


def sinusoids(steps, width):
    angles = torch.arange(steps, dtype=torch.float64)[:, None] * 10_000 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    return torch.stack([torch.sin(angles), torch.cos(angles)], 2).reshape(steps, width)


class DuelingQ(nn.Module):
    """Q = V + A - mean A (Wang et al. 2016)."""

    def __init__(self):
        super().__init__()
        self.hidden1, self.hidden2 = nn.Linear(15, 128), nn.Linear(128, 128)
        self.value, self.advantages = nn.Linear(128, 1), nn.Linear(128, 112)

    def forward(self, x):
        x = F.relu(self.hidden2(F.relu(self.hidden1(x))))
        advantages = self.advantages(x)
        return self.value(x) + advantages - advantages.mean(1, keepdim=True)

    def slots(self):
        return [slot for name in ("hidden1", "hidden2", "value", "advantages") for slot in linear(name, getattr(self, name))]


def _lstm(inputs, hidden, both=False):
    return nn.LSTM(inputs, hidden, batch_first=True, bidirectional=both)


"""family -> (network, the shape of a batch, the loss it is learnt by, how many numbers of noise a step takes)"""
FAMILY_NETWORKS = {
    "mlp": (lambda: Dense([40, 100, 50, 12], F.silu, hidden_names(2)), (16, 40), "squared", 0),
    "volumes": (lambda: Dense([20, 100, 50, 2], torch.sigmoid, hidden_names(2)), (16, 20), "cross-entropy", 0),
    "lstm": (lambda: Recurrent(_lstm(40, 40), [40, 64, 12], leaky), (4, 100, 40), "squared", 0),
    "bilstm": (lambda: Recurrent(_lstm(40, 128, True), [256, 64, 32, 12], F.relu), (2, 100, 40), "squared", 0),
    "gru": (lambda: Recurrent(nn.GRU(40, 64, batch_first=True), [64, 64, 12], leaky), (4, 100, 40), "squared", 0),
    "autoencoder": (lambda: Coded(400, ["decoder.hidden", "decoder.output"]), (8, 10, 40), "squared", 0),
    "conv-autoencoder": (ConvolutionalAutoencoder, (4, 32, 40), "squared", 0),
    "coded-mlp": (lambda: Coded(12, ["hidden", "output"]), (8, 10, 40), "squared", 0),
    "coded-lstm": (CodedLstm, (4, 100, 40), "squared", 0),
    "binctabl": (Binctabl, (8, 10, 40), "squared", 8 * (600 + 600)),
    "deeplob": (DeepLob, (2, 100, 40), "squared", 0),
    "mlplob": (lambda: Mixer(Perceptron, 384, 3, False), (2, 384, 40), "squared", 0),
    "tlob": (lambda: Mixer(SelfAttention, 128, 4, True), (2, 128, 40), "squared", 0),
    "resnet1d": (ResNet1d, (2, 512, 180), "squared", 2 * 512 * (64 * 9 + 128 * 3)),
    "dueling-q": (DuelingQ, (16, 15), "huber", 0),
}
