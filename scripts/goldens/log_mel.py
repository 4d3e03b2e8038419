"""Golden log-mel features from the reference, WhisperFeatureExtractor of transformers.

Writes test/fixtures/goldens/log-mel.json, and for a few synthetic utterances the sound itself
(log-mel-NAME.wav, 16 kHz, 16 bit) and every seventh frame of its features (log-mel-NAME.f32:
float32, little-endian, [frames, mel bins]).

    python scripts/goldens/log_mel.py [FOLDER_OF_RECORDINGS]

Needs transformers, numpy, scipy, soundfile and espeak-ng. The folder holds real recordings that
are not part of the repository; only a few numbers of their features are kept.
"""

import json
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile
import transformers

RATE = 16_000
OUT = Path(__file__).resolve().parents[2] / "test/fixtures/goldens"
FRAME_STEP = 7

# The probes of the model dossier's table.
PROBES = [(0, 0), (0, 50), (10, 50), (20, 50), (40, 50), (64, 50), (127, 50)]
PROBES += [(5, 99), (5, 100), (5, 101), (5, 2999)]

# name, espeak voice, text, level in dBFS, mel bands
UTTERANCES = [
    ("english", "en-us", "Remember to water the plants.", -23, 128),
    ("whisper", "en-us+whisper", "Nobody else may hear this.", -38, 128),
    ("mandarin", "cmn", "明天早上别忘了开会。", -45, 128),
    ("cantonese", "yue", "那个文件你放在哪个文件夹了", -60, 80),
]

RECORDINGS = [
    "en/jfk_16k.wav",
    "en/glm_example_en.wav",
    "en/fleurs_sonar_audio_1_quiet.wav",
    "en/two_cities_16k.wav",
    "zh/glm_example_zh.wav",
    "zh/fleurs_zh_1883.wav",
    "noise/doing_the_dishes.wav",
]


def extractor(bands):
    return transformers.WhisperFeatureExtractor(
        feature_size=bands, sampling_rate=RATE, hop_length=160, chunk_length=30, n_fft=400, dither=0.0
    )


def features(samples, bands=128):
    """[bands, 3000], float32, of at most 30 s."""
    batch = extractor(bands)(samples, sampling_rate=RATE, return_tensors="np", padding="max_length")
    return batch["input_features"][0]


def noise(count):
    state, out = 12345, np.empty(count)
    for i in range(count):
        state = (1103515245 * state + 12345) % 2**31
        out[i] = 2 * (state // 256) / 2**23 - 1
    return 0.1 * out


def formulas():
    n = np.arange(16_000)
    t = n / RATE
    return {
        "tone": 0.5 * np.sin(2 * np.pi * 440 * n / RATE),
        "chirp": 0.3 * np.sin(2 * np.pi * (100 * t + 1950 * t**2)),
        "silence": np.zeros(16_000),
        "noise": noise(48_000),
    }


def summary(matrix, probes):
    return {
        "probes": [[int(b), int(f), float(matrix[b, f])] for b, f in probes],
        **{k: float(getattr(matrix.astype(np.float64), k)()) for k in ("min", "max", "mean", "std")},
    }


def speak(voice, text, level_db):
    """16-bit samples at the given RMS level."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        subprocess.run(["espeak-ng", "-v", voice, "-w", path, text], check=True)
        speech, rate = soundfile.read(path)
    speech = scipy.signal.resample_poly(speech, RATE, rate)
    speech *= 10 ** (level_db / 20) / np.sqrt(np.mean(speech**2))
    return np.round(np.clip(speech, -1, 1 - 2**-15) * 32768).astype(np.int16)


def write_utterance(name, voice, text, level_db, bands):
    samples = speak(voice, text, level_db)
    soundfile.write(OUT / f"log-mel-{name}.wav", samples, RATE, subtype="PCM_16")
    matrix = features(samples.astype(np.float32) / 32768, bands)
    real_frames = -(-len(samples) // 160)
    chosen = np.arange(0, real_frames + 2 * FRAME_STEP, FRAME_STEP)
    matrix[:, chosen].T.astype("<f4").tofile(OUT / f"log-mel-{name}.f32")
    return {"name": name, "melBins": bands, "frameStep": FRAME_STEP, **summary(matrix, [])}


def recording(path):
    samples, rate = soundfile.read(path, dtype="float32", frames=480_000)
    assert rate == RATE and samples.ndim == 1, path
    last = -(-len(samples) // 160)
    frames = [0, 1, 2, last // 3, last // 2, last - 3, last - 2, last - 1, min(last, 2999), 2999]
    probes = [(b, f) for f in frames for b in (0, 10, 40, 64, 100, 127)]
    return {"samples": len(samples), **summary(features(samples), probes)}


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    golden = {
        "made_with": {
            "script": "scripts/goldens/log_mel.py",
            **{m.__name__: m.__version__ for m in (transformers, np, scipy, soundfile)},
            "python": platform.python_version(),
            "espeak-ng": subprocess.check_output(["espeak-ng", "--version"], text=True).split()[3],
        },
        "tolerance": 1e-4,
        "formulas": {k: summary(features(x.astype(np.float32)), PROBES) for k, x in formulas().items()},
        "utterances": [write_utterance(*utterance) for utterance in UTTERANCES],
        "recordings": {name: recording(folder / name) for name in RECORDINGS if folder},
    }
    text = json.dumps(golden, indent=1)
    one_line = re.sub(r"\[\s+(\S+),\s+(\S+),\s+(\S+)\s+\]", r"[\1, \2, \3]", text)
    (OUT / "log-mel.json").write_text(one_line + "\n")


main()
