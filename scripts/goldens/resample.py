"""Golden resampling: the same speech at other rates, and what two trusted resamplers make of it.

Writes test/fixtures/goldens/resample-RATE.wav (the input, 16 bit) and, at 16 kHz and 16 bit,
resample-RATE.scipy.wav (scipy.signal.resample_poly) and resample-RATE.soxr.wav (libsoxr, through ffmpeg).

    python scripts/goldens/resample.py

The speech is low-passed at 80 % of what both rates can hold: below that all good resamplers agree,
above it each has a slope of its own. Needs numpy, scipy, soundfile, espeak-ng, ffmpeg with libsoxr.
"""

import subprocess
import tempfile
from math import gcd
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile

RATE = 16_000
RATES = [8_000, 22_050, 44_100, 48_000]
SECONDS = 0.4
OUT = Path(__file__).resolve().parents[2] / "test/fixtures/goldens"


def resample(samples, source, target):
    if source == target:
        return samples
    common = gcd(source, target)
    # A longer filter than scipy's default, which lets images through at -60 dB.
    up, down = target // common, source // common
    taps = scipy.signal.firwin(128 * max(up, down) + 1, 1 / max(up, down), window=("kaiser", 10))
    return scipy.signal.resample_poly(samples, up, down, window=taps)


def speech():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        subprocess.run(["espeak-ng", "-v", "en-us", "-w", path, "Six quiet thistles."], check=True)
        samples, rate = soundfile.read(path)
    return samples, rate


def write(path, samples, rate):
    soundfile.write(path, np.clip(samples, -1, 1 - 2**-15), rate, subtype="PCM_16")


def main():
    samples, native = speech()
    samples *= 0.3 / np.max(np.abs(samples))
    for rate in RATES:
        at_rate = resample(samples, native, rate)
        low_pass = scipy.signal.firwin(1001, 0.8 * min(rate, RATE, native) / 2, fs=rate, window=("kaiser", 10))
        start = int(0.2 * rate)
        clip = np.convolve(at_rate, low_pass, mode="same")[start : start + int(SECONDS * rate)]
        clip *= scipy.signal.windows.tukey(len(clip), 0.1)
        path = OUT / f"resample-{rate}.wav"
        write(path, clip, rate)
        write(OUT / f"resample-{rate}.scipy.wav", resample(soundfile.read(path)[0], rate, RATE), RATE)
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", "-i", path, "-af", f"aresample={RATE}:resampler=soxr:precision=28"]
            + ["-fflags", "+bitexact", "-c:a", "pcm_s16le", OUT / f"resample-{rate}.soxr.wav"],
            check=True,
        )


main()
