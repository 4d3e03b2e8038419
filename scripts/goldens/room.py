"""Golden room response for src/eval/scenes/room.ts, from pyroomacoustics' image source model.

    python scripts/goldens/room.py

Writes test/fixtures/goldens/room.json: a room and every seventh sample of the first 0.25 s of its response,
through the same 50 Hz high-pass (scipy). Pyroomacoustics leaves out the factor 1/(4π) and delays everything by
half its impulse's length; both are undone. Made with pyroomacoustics 0.10.1 and scipy 1.17.1.
"""

import json
from pathlib import Path

import numpy as np
import pyroomacoustics
from scipy.signal import butter, sosfilt

OUT = Path(__file__).resolve().parents[2] / "test/fixtures/goldens/room.json"
RATE = 16_000
STEP = 7
SIZE, SPEAKER, MICROPHONE = [5.2, 4.4, 2.7], [1.3, 1.7, 1.5], [3.9, 3.1, 0.9]
REFLECTION = 0.89


def main() -> None:
    pyroomacoustics.constants.set("c", 343.0)
    pyroomacoustics.constants.set("frac_delay_length", 81)
    walls = pyroomacoustics.Material(1 - REFLECTION**2)
    room = pyroomacoustics.ShoeBox(SIZE, fs=RATE, materials=walls, max_order=80, air_absorption=False)
    room.add_source(SPEAKER)
    room.add_microphone(MICROPHONE)
    room.compute_rir()
    response = room.rir[0][0] / (4 * np.pi)
    filtered = sosfilt(butter(2, 50, "high", fs=RATE, output="sos"), response)[40 : 40 + RATE // 4]
    golden = {
        "sizeMeters": SIZE,
        "speaker": SPEAKER,
        "microphone": MICROPHONE,
        "reflection": REFLECTION,
        "step": STEP,
        "response": [float(f"{value:.5g}") for value in filtered[::STEP]],
    }
    OUT.write_text(json.dumps(golden) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
