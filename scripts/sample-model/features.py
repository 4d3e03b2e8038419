"""Log-mel features of a window, equal to the reference's WhisperFeatureExtractor.

    samples, zero-padded to the window ─► Hann 25 ms ─► power ─► mel ─► log10 ─► clamp to max − 8 ─► (x + 4) / 4
"""

import numpy as np
import torch
from transformers.audio_utils import mel_filter_bank

SAMPLE_RATE = 16_000
HOP_SAMPLES = 160
FFT_SAMPLES = 400
MEL_BINS = 128
WINDOW_FRAMES = 3000

_hann = torch.hann_window(FFT_SAMPLES)
_filters = torch.from_numpy(
    mel_filter_bank(
        num_frequency_bins=1 + FFT_SAMPLES // 2,
        num_mel_filters=MEL_BINS,
        min_frequency=0.0,
        max_frequency=8000.0,
        sampling_rate=SAMPLE_RATE,
        norm="slaney",
        mel_scale="slaney",
    ).T.astype(np.float32)
)


def log_mel(windows: list[np.ndarray], frames: int) -> torch.Tensor:
    """[windows, 128, frames] float32; each window is zero-padded to `frames` × 10 ms first."""
    padded = torch.zeros(len(windows), frames * HOP_SAMPLES)
    for row, samples in enumerate(windows):
        padded[row, : len(samples)] = torch.from_numpy(np.ascontiguousarray(samples, dtype=np.float32))
    spectrum = torch.stft(padded, FFT_SAMPLES, HOP_SAMPLES, window=_hann, return_complex=True)
    power = spectrum[..., :-1].abs() ** 2  # the last frame is dropped
    logs = torch.clamp(_filters @ power, min=1e-10).log10()
    loudest = logs.amax(dim=(1, 2), keepdim=True)
    return (torch.maximum(logs, loudest - 8.0) + 4.0) / 4.0


def audio_rows(sample_count: int) -> int:
    """Audio tokens of a clip: ⌊⌈L/2⌉/4⌋ for L = ⌈samples/160⌉ frames."""
    frames = -(-sample_count // HOP_SAMPLES)
    return -(-frames // 2) // 4


def padded_frames(sample_count: int) -> int:
    """The shortest window that holds a clip: a multiple of 8 frames, so that rows come out whole."""
    frames = -(-sample_count // HOP_SAMPLES)
    return max(8, -(-frames // 8) * 8)
