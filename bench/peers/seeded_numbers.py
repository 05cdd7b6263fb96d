"""Numbers that Python and TypeScript compute alike, bit for bit: see bench/seeded-numbers.ts, whose words these are."""

import numpy as np


def seeded_bits(seed: int, first: int, count: int) -> np.ndarray:
    """32 bits for each of the numbers [first, first + count) of a seed: MurmurHash3's finaliser over a Weyl sequence."""
    with np.errstate(over="ignore"):
        index = np.arange(first, first + count, dtype=np.uint64).astype(np.uint32)
        bits = index * np.uint32(0x9E3779B9) + np.uint32(seed) * np.uint32(0x7FEB352D)
        bits = (bits ^ (bits >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        bits = (bits ^ (bits >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        return bits ^ (bits >> np.uint32(16))


def seeded_uniform(seed: int, first: int, count: int) -> np.ndarray:
    """float32 on [-1, 1), multiples of 2^-23: exact in both languages."""
    return ((seeded_bits(seed, first, count) >> np.uint32(8)).astype(np.int64) - 8_388_608).astype(np.float32) / np.float32(8_388_608)


def seeded_signs(seed: int, count: int) -> np.ndarray:
    """Float64 of 1 and -1."""
    return 1.0 - 2.0 * (seeded_bits(seed, 0, count) & np.uint32(1)).astype(np.float64)
