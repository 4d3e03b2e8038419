"""How loud speech is: the active speech level of ITU-T P.56 (method B), and setting it."""

import math

import numpy as np
from scipy.signal import lfilter

SAMPLE_RATE = 16_000
_ENVELOPE_SECONDS = 0.03
_HANGOVER_SECONDS = 0.2
_MARGIN_DB = 15.9


def active_level_dbfs(samples: np.ndarray) -> float:
    """Level of the speech itself, pauses left out; full scale is 1.0. -inf for digital silence."""
    x = samples.astype(np.float64)
    energy = float(np.sum(x * x))
    if energy <= 0:
        return -math.inf
    smoothing = math.exp(-1 / (SAMPLE_RATE * _ENVELOPE_SECONDS))
    envelope = np.abs(x)
    for _ in range(2):
        envelope = lfilter([1 - smoothing], [1, -smoothing], envelope)
    thresholds = 2.0 ** np.arange(-18, 1)
    hangover = round(SAMPLE_RATE * _HANGOVER_SECONDS)
    deltas, levels = [], []
    for threshold in thresholds:
        active = _active_samples(envelope >= threshold, hangover)
        if active == 0:
            break
        level = 10 * math.log10(energy / active)
        levels.append(level)
        deltas.append(level - 20 * math.log10(threshold))
    return _where_delta_is(levels, deltas)


def _active_samples(above: np.ndarray, hangover: int) -> int:
    """Samples at or above the threshold, each followed by the hangover."""
    indices = np.flatnonzero(above)
    if len(indices) == 0:
        return 0
    gaps = np.diff(indices)
    return int(np.minimum(gaps, hangover).sum() + min(hangover, len(above) - indices[-1]))


def _where_delta_is(levels: list[float], deltas: list[float]) -> float:
    for index in range(1, len(deltas)):
        if deltas[index] <= _MARGIN_DB:
            before, after = deltas[index - 1], deltas[index]
            share = (before - _MARGIN_DB) / (before - after) if before > after else 0.0
            return levels[index - 1] + min(max(share, 0.0), 1.0) * (levels[index] - levels[index - 1])
    return levels[-1]


def gain_to(level_dbfs: float, from_dbfs: float) -> float:
    return 10 ** ((level_dbfs - from_dbfs) / 20)


def to_16_bit(samples: np.ndarray) -> np.ndarray:
    """Rounds to what a 16-bit file can hold; still floats, full scale 1.0."""
    return np.clip(np.round(samples * 32768), -32768, 32767).astype(np.float32) / 32768
