"""Who speaks: the synthetic voices, which of them train the model and which only test it.

A voice is an engine, a base voice (the accent) and, for espeak-ng, a variant (the
timbre). Held-out variants, base voices and flite voices are never heard in training.
Besides espeak-ng's own variants there are two families of ours, written to the data
folder by `write_variants`: random speakers (`sm00`...) and whisperers (`smw0`...).
"""

import random
import shutil
from pathlib import Path

BASE_VOICES = {
    "en": ["en-us", "en", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-029", "en-us-nyc"],
    "zh": ["cmn-latn-pinyin"],
    "yue": ["yue"],
}
HELDOUT_BASE_VOICES = {"en": ["en-gb-x-gbcwmd", "en-us", "en"], "zh": ["cmn-latn-pinyin"], "yue": ["yue"]}

SPEAKER_COUNT = 24
WHISPERER_COUNT = 8
OWN_SPEAKERS = [f"sm{n:02d}" for n in range(SPEAKER_COUNT)]
OWN_WHISPERERS = [f"smw{n}" for n in range(WHISPERER_COUNT)]

# espeak-ng's variants, without effects that no person's voice has (echo halls, robots).
VARIANTS = (
    "m1 m2 m4 m5 m6 m7 m8 f1 f2 f4 f5 Adam Alex Alicia Andrea antonio aunty belinda benjamin boris caleb david Denis Diogo "
    "ed edward Gene Gustave Henrique Hugo iven Jacky john kaukovalta klatt klatt3 klatt4 klatt5 Lee marcelo Marco Mario max "
    "michel miguel mike norbert Nguyen pablo paul pedro quincy rob robert sandro shelby steph travis victor zac anika grandma grandpa"
).split()
WHISPER_VARIANTS = ["whisper"]
HELDOUT_VARIANTS = ["m3", "f3", "Andy", "linda", "klatt2", "michael", "Annie", "sm22", "sm23"]
HELDOUT_WHISPER_VARIANTS = ["whisperf", "smw7"]

FLITE_VOICES = ["kal16", "kal", "awb", "slt"]
HELDOUT_FLITE_VOICES = ["rms"]

TRAIN_VARIANTS = [v for v in VARIANTS + OWN_SPEAKERS if v not in HELDOUT_VARIANTS]
TRAIN_WHISPER_VARIANTS = [v for v in WHISPER_VARIANTS + OWN_WHISPERERS if v not in HELDOUT_WHISPER_VARIANTS]

# espeak-ng reads characters one by one and picks the wrong reading of these words.
# The engine is given a homophone of the same length; the transcript keeps the word.
RESPELLINGS = {"睡觉": "睡叫", "银行": "银航", "便宜": "骈宜", "地铁": "弟铁", "音乐": "音月"}


def spoken_form(language: str, text: str) -> str:
    if language == "zh":
        for word, homophone in RESPELLINGS.items():
            text = text.replace(word, homophone)
    return text


def write_variants(system_data_dir: Path, data_dir: Path, seed: int = 20251) -> None:
    """Copies espeak-ng's data folder and adds our own variants to it."""
    if not data_dir.exists():
        # MBROLA voices are not installed, and the engine keeps a list of limited length.
        shutil.copytree(system_data_dir, data_dir, ignore=shutil.ignore_patterns("mb", "mbrola_ph"))
    for index, name in enumerate(OWN_SPEAKERS + OWN_WHISPERERS):
        rng = random.Random(seed + index)
        (data_dir / "voices" / "!v" / name).write_text(_variant(name, name in OWN_WHISPERERS, rng))


def _variant(name: str, whispers: bool, rng: random.Random) -> str:
    # A longer or shorter throat scales all formants together; each formant also wanders a little.
    throat_percent = rng.uniform(88, 118)
    pitch_hz = 75 + max(0.0, throat_percent - 88) * 4 + rng.uniform(0, 35)
    lines = ["language variant", f"name {name}", "gender male", f"pitch {pitch_hz:.0f} {pitch_hz * rng.uniform(1.25, 1.6):.0f}"]
    for formant in range(0, 9):
        frequency = throat_percent * rng.uniform(0.96, 1.04)
        amplitude = rng.uniform(75, 115) if formant else 100
        width = rng.uniform(80, 150)
        lines.append(f"formant {formant} {frequency:.0f} {amplitude:.0f} {width:.0f}")
    lines.append(f"consonants {rng.uniform(70, 140):.0f} {rng.uniform(70, 140):.0f}")
    if whispers:
        lines.append(f"voicing {rng.uniform(4, 20):.0f}")
        lines.append("breath " + " ".join(f"{amount * rng.uniform(0.7, 1.3):.0f}" for amount in (75, 75, 50, 40, 15, 10)))
        lines.append("breathw 150 150 200 200 400 400")
    else:
        lines.append(f"flutter {rng.uniform(0, 6):.0f}")
        lines.append(f"roughness {rng.choice([0, 0, 1, 2, 3])}")
        if rng.random() < 0.3:
            lines.append("breath " + " ".join(f"{rng.uniform(0, 8):.0f}" for _ in range(6)))
    return "\n".join(lines) + "\n"
