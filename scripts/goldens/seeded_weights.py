"""Checkpoints by formula: the same names and shapes give the same numbers here and in
test/fixtures/seeded-weights.ts, so that a golden needs no weights beside it."""

import numpy as np


def spread(name: str, shape: tuple[int, ...], table: float) -> tuple[float, float]:
    """(offset, amplitude) by what a tensor is for."""
    if "norm" in name and name.endswith("weight"):
        return 1.0, 0.2
    if name.endswith("bias"):
        return 0.0, 0.1
    if "embed_tokens" in name:
        return 0.0, table
    return 0.0, 2.0 / np.sqrt(np.prod(shape[1:], dtype=np.float64))


def values(name: str, shape: tuple[int, ...], t: int, table: float) -> np.ndarray:
    """Tensor number `t`, float32."""
    m32 = np.uint64(0xFFFFFFFF)
    i = np.arange(int(np.prod(shape)), dtype=np.uint64)
    x = (i * np.uint64(2654435761) + np.uint64((t + 1) * 2246822519 % 2**32)) & m32
    x ^= x >> np.uint64(15)
    x = x * np.uint64(2246822507) & m32
    x ^= x >> np.uint64(13)
    x = x * np.uint64(3266489909) & m32
    x ^= x >> np.uint64(16)
    offset, amplitude = spread(name, shape, table)
    return (offset + amplitude * (2.0 * x.astype(np.float64) / 2**32 - 1.0)).astype(np.float32).reshape(shape)


def tensors(shapes: dict[str, tuple[int, ...]], seed: int = 0) -> dict[str, np.ndarray]:
    """All tensors of a model; number t is that of the name in sorted order. Seed 0 is the seeded model of MODEL.md;
    the others have a smaller table of tokens, or a model that shares it with its head would only repeat its input."""
    table = 1.0 if seed == 0 else 0.2
    return {name: values(name, shapes[name], t + 256 * seed, table) for t, name in enumerate(sorted(shapes))}


def features(frames: int, mel_bins: int) -> np.ndarray:
    """Not a real spectrogram: [mel_bins, frames] float32."""
    b = np.arange(mel_bins, dtype=np.float64)[:, None]
    f = np.arange(frames, dtype=np.float64)[None, :]
    return (0.5 * np.sin(0.05 * b + 0.013 * f) + 0.25 * np.cos(0.31 * b - 0.002 * f)).astype(np.float32)


def stored(array: np.ndarray, kind: str) -> np.ndarray:
    """What is left of float32 numbers after they were stored as BF16, F16 or F32."""
    if kind == "F32":
        return array
    if kind == "F16":
        return array.astype(np.float16).astype(np.float32)
    bits = array.view(np.uint32).astype(np.uint64)
    upper = (bits + np.uint64(0x7FFF) + ((bits >> np.uint64(16)) & np.uint64(1))) >> np.uint64(16)
    return (upper << np.uint64(16)).astype(np.uint32).view(np.float32).reshape(array.shape)
