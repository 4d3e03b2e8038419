"""How fast numpy quantises bfloat16 on one core, as a yardstick for the converter (SPEED.md, "Full size").

    python scripts/full-width/numpy_quantize.py [MEGABYTES]
"""

import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np  # noqa: E402

BLOCK = 32
CHUNK_VALUES = 1 << 20


def floats(stored: np.ndarray) -> np.ndarray:
    return (stored.astype(np.uint32) << 16).view(np.float32).reshape(-1, BLOCK)


def eight_bits(stored: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = floats(stored)
    scales = (np.abs(rows).max(axis=1) / 127).astype(np.float16)
    return np.clip(np.rint(rows / np.maximum(scales, 1e-7).astype(np.float32)[:, None]) + 128, 0, 255).astype(np.uint8), scales


def four_bits(stored: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = floats(stored)
    extreme = np.take_along_axis(rows, np.abs(rows).argmax(axis=1)[:, None], axis=1)[:, 0]
    scales = (extreme / -8).astype(np.float16)
    safe = np.where(scales == 0, 1, scales).astype(np.float32)[:, None]
    levels = np.clip(np.rint(rows / safe) + 8, 0, 15).astype(np.uint8)
    return levels[:, 0::2] | (levels[:, 1::2] << 4), scales


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    chunk = (np.random.default_rng(1).standard_normal(CHUNK_VALUES).astype(np.float32) * 0.02).view(np.uint32) >> 16
    chunk = chunk.astype(np.uint16)
    rounds = megabytes * 1_000_000 // chunk.nbytes
    for name, quantize in {"8 bits": eight_bits, "4 bits": four_bits}.items():
        start = time.perf_counter()
        for _ in range(rounds):
            quantize(chunk)
        print(f"{name}: {rounds * chunk.nbytes / 1e6 / (time.perf_counter() - start):.0f} MB/s of bfloat16")


if __name__ == "__main__":
    main()
