"""Golden likelihoods of speech from the official silero-vad package (its PyTorch model).

Writes test/fixtures/goldens/silero.json: for shipped clips, how likely somebody speaks in each
frame of 512 samples, and the versions that said so.

    python scripts/goldens/silero.py

Needs torch, numpy and silero-vad 6.
"""

import json
import platform
import wave
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from silero_vad.data import __path__ as data_path

ROOT = Path(__file__).resolve().parents[2]
CLIPS = ["en_meeting-on-thursday", "en_i-whisper", "zh_speak-softly"]
FRAME = 512


def read(name: str) -> torch.Tensor:
    with wave.open(str(ROOT / "public/clips" / f"{name}.wav")) as sound:
        assert sound.getframerate() == 16_000 and sound.getnchannels() == 1
        numbers = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
    return torch.from_numpy(numbers.astype(np.float32) / 32_768)


model = torch.jit.load(Path(data_path[0]) / "silero_vad.jit").eval()
golden = {
    "made_by": {
        "silero-vad": version("silero-vad"),
        "torch": torch.__version__,
        "python": platform.python_version(),
    },
    "likelihoods": {},
}
for name in CLIPS:
    model.reset_states()
    samples = read(name)
    with torch.no_grad():
        golden["likelihoods"][name] = [
            round(model(samples[at : at + FRAME], 16_000).item(), 6)
            for at in range(0, len(samples) - FRAME + 1, FRAME)
        ]
path = ROOT / "test/fixtures/goldens/silero.json"
path.write_text(json.dumps(golden) + "\n")
