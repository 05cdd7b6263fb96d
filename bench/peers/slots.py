"""Where our flat vector of parameters lies in PyTorch's modules: a slot is one parameter of ours, in our layout."""

import numpy as np
import torch


def same(tensor):
    return tensor


def transposed(tensor):
    """nn.Linear keeps [outputs, inputs], we keep [inputs, outputs]."""
    return tensor.transpose(0, 1)


class Slot:
    """`view` turns PyTorch's tensor into ours by a permutation of its elements; the copy back goes through the same view."""

    def __init__(self, name, tensor, view=same):
        self.name, self.tensor, self.view = name, tensor, view

    @property
    def shape(self):
        return tuple(self.view(self.tensor).shape)

    def write(self, values: np.ndarray):
        with torch.no_grad():
            self.tensor.copy_(self._back(torch.from_numpy(values.reshape(self.shape)).to(self.tensor.dtype)))

    def read(self) -> np.ndarray:
        return self.view(self.tensor.detach()).contiguous().numpy().reshape(-1)

    def gradient(self) -> np.ndarray:
        return self.view(self.tensor.grad).contiguous().numpy().reshape(-1)

    def _back(self, ours):
        places = self.view(torch.arange(self.tensor.numel()).reshape(self.tensor.shape)).reshape(-1)
        theirs = torch.empty(self.tensor.numel(), dtype=ours.dtype)
        theirs[places] = ours.reshape(-1)
        return theirs.reshape(self.tensor.shape)


def prefixed(name, slots):
    for slot in slots:
        slot.name = f"{name}.{slot.name}"
    return slots


def linear(name, layer):
    return prefixed(name, [Slot("weights", layer.weight, transposed), *([Slot("bias", layer.bias)] if layer.bias is not None else [])])


def convolution(name, layer):
    return prefixed(name, [Slot("weights", layer.weight), *([Slot("bias", layer.bias)] if layer.bias is not None else [])])


def batch_norm(name, layer):
    return prefixed(name, [Slot("scale", layer.weight), Slot("shift", layer.bias)])


def layer_norm(name, layer):
    return prefixed(name, [Slot("gain", layer.weight), Slot("bias", layer.bias)])


def lstm(name, layer, suffix=""):
    """PyTorch's gates are i, f, g, o; ours i, o, f, g, in columns, and one bias where it has two: its second is held at zero."""
    return _recurrent(name, layer, suffix, (0, 3, 1, 2))


def _recurrent(name, layer, suffix, order):
    gates = _gates(order)
    second = getattr(layer, f"bias_hh_l0{suffix}")
    second.requires_grad_(False).zero_()
    return prefixed(
        name,
        [
            Slot("weights", getattr(layer, f"weight_ih_l0{suffix}"), lambda t: gates(t).transpose(0, 1)),
            Slot("recurrence", getattr(layer, f"weight_hh_l0{suffix}"), lambda t: gates(t).transpose(0, 1)),
            Slot("bias", getattr(layer, f"bias_ih_l0{suffix}"), gates),
        ],
    )


def _gates(order):
    return lambda tensor: torch.cat([tensor.chunk(len(order), 0)[gate] for gate in order], 0)


def gru(name, layer, suffix=""):
    """PyTorch's gates are r, z, n; ours z, r, n. Only n keeps a bias of the hidden state: those of r and z are held at zero by whoever trains."""
    gates = _gates((1, 0, 2))
    hidden = layer.hidden_size
    second = getattr(layer, f"bias_hh_l0{suffix}")
    with torch.no_grad():
        second.zero_()
    return prefixed(
        name,
        [
            Slot("weights", getattr(layer, f"weight_ih_l0{suffix}"), lambda t: gates(t).transpose(0, 1)),
            Slot("recurrence", getattr(layer, f"weight_hh_l0{suffix}"), lambda t: gates(t).transpose(0, 1)),
            Slot("bias", getattr(layer, f"bias_ih_l0{suffix}"), gates),
            PartSlot("candidate_bias", second, 2 * hidden),
        ],
    )


class PartSlot(Slot):
    """The end of a tensor, from an index on."""

    def __init__(self, name, tensor, first):
        super().__init__(name, tensor, lambda t: t[first:])
        self.first = first

    def write(self, values):
        with torch.no_grad():
            self.tensor[self.first :] = torch.from_numpy(values).to(self.tensor.dtype)
