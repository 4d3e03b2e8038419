"""Turns any voice into a whisper: the throat's resonances stay, the vocal cords become breath."""

import numpy as np
from scipy.linalg import solve_toeplitz
from scipy.signal import lfilter

_FRAME = 480  # 30 ms
_HOP = 240
_ORDER = 20


def whisper(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Linear prediction per frame, resynthesised from noise instead of the residual; int16 in and out."""
    x = samples.astype(np.float64) / 32768
    emphasis = rng.uniform(0.7, 0.95)  # whispers have little energy at low frequencies
    emphasized = lfilter([1, -emphasis], [1], np.concatenate([np.zeros(_FRAME), x, np.zeros(_FRAME)]))
    window = np.hanning(_FRAME + 1)[:-1]
    noise = rng.standard_normal(len(emphasized))
    out = np.zeros(len(emphasized))
    for start in range(0, len(emphasized) - _FRAME, _HOP):
        frame = emphasized[start : start + _FRAME] * window
        correlation = np.correlate(frame, frame, "full")[_FRAME - 1 : _FRAME + _ORDER]
        if correlation[0] < 1e-9:
            continue
        correlation[0] *= 1.0005
        predictor = solve_toeplitz(correlation[:-1], correlation[1:])
        residual_power = max(correlation[0] - predictor @ correlation[1:], 0.0) / np.sum(window**2)
        breath = noise[start : start + _FRAME] * np.sqrt(residual_power)
        out[start : start + _FRAME] += lfilter([1], np.concatenate([[1], -predictor]), breath) * window
    out = out[_FRAME : _FRAME + len(x)]
    peak = np.abs(out).max()
    return np.round(out / max(peak, 1e-9) * 0.5 * 32767).astype(np.int16)
