"""The task of the race, computed as bench/train-nn/learnable-task.ts does: noise over a pattern of each class, one number a channel."""

import numpy as np

from seeded_numbers import seeded_bits, seeded_uniform

LABELS, NOISE, PATTERN = 11, 12, 13


class LearnableTask:
    def __init__(self, shape, classes, stride, channels, strength):
        self.shape, self.classes, self.strength = tuple(shape), classes, np.float32(strength)
        self.size = int(np.prod(shape))
        self.channel = np.arange(self.size) // stride % channels
        self.channels = channels

    def labels(self, items):
        return (seeded_each(LABELS, items) % np.uint32(self.classes)).astype(np.int64)

    def features(self, items):
        rows = np.empty((len(items), self.size), np.float32)
        for row, (item, label) in enumerate(zip(items, self.labels(items))):
            pattern = self.strength * seeded_uniform(PATTERN, int(label) * self.channels, self.channels)
            rows[row] = seeded_uniform(NOISE, int(item) * self.size, self.size) + pattern[self.channel]
        return rows.reshape(len(items), *self.shape)


def seeded_each(seed, items):
    return np.array([seeded_bits(seed, int(item), 1)[0] for item in items], np.uint32)
