"""Writing 16 kHz mono 16-bit WAV files."""

import wave
from pathlib import Path

import numpy as np

SAMPLE_RATE = 16_000


def write_wav(path: Path, samples: np.ndarray) -> None:
    """Floats at full scale 1.0; exact if they hold 16-bit values already."""
    integers = np.clip(np.round(samples * 32768), -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(integers.tobytes())


def read_wav(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, SAMPLE_RATE)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
