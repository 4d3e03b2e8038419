"""Speaks every sentence with many voices: the training corpus and the held-out one.

    python synthesize.py [--work build/sample-model] [--renditions 80] [--seed 1]

Writes WORK/speech/{train,heldout}.{s16,jsonl}. Takes about ten minutes on one core.
"""

import argparse
import re
import subprocess
from pathlib import Path

import numpy as np

from corpus import CorpusWriter
from levels import active_level_dbfs
from sentences import load_sentences
from speak import Espeak, Spoken, flite_say, system_data_dir
from voices import (
    BASE_VOICES,
    FLITE_VOICES,
    HELDOUT_BASE_VOICES,
    HELDOUT_FLITE_VOICES,
    HELDOUT_VARIANTS,
    HELDOUT_WHISPER_VARIANTS,
    TRAIN_VARIANTS,
    TRAIN_WHISPER_VARIANTS,
    spoken_form,
    write_variants,
)
from whispering import whisper

WHISPER_VARIANT_SHARE = 0.13
MADE_WHISPER_SHARE = 0.10
FLITE_SHARE = 0.18  # of English


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("build/sample-model"))
    parser.add_argument("--renditions", type=int, default=80, help="clips per sentence in the training corpus")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    data_dir = args.work / "espeak-ng-data"
    args.work.mkdir(parents=True, exist_ok=True)
    write_variants(system_data_dir(), data_dir)
    espeak = Espeak(data_dir)
    sentences = load_sentences()
    check_readings(sentences)

    heldout = CorpusWriter(args.work / "speech", "heldout")
    rng = np.random.default_rng(args.seed + 1)
    for index, (language, text) in enumerate(sentences):
        for whispered in (False, False, False, True):
            speak_heldout(espeak, heldout, index, language, text, whispered, rng)
        if language == "en":
            samples = flite_say(HELDOUT_FLITE_VOICES[0], text, rng.uniform(0.9, 1.1))
            add(heldout, Spoken(samples), index, language, text, f"flite/{HELDOUT_FLITE_VOICES[0]}", False)
    heldout.close()

    train = CorpusWriter(args.work / "speech", "train")
    rng = np.random.default_rng(args.seed)
    for index, (language, text) in enumerate(sentences):
        for _ in range(args.renditions):
            speak_for_training(espeak, train, index, language, text, rng)
        if index % 50 == 0:
            print(f"{index} of {len(sentences)} sentences", flush=True)
    train.close()


def check_readings(sentences: list[tuple[str, str]]) -> None:
    """Every Chinese character must be read as one syllable, none spelt out in English."""
    for language, text in sentences:
        if language == "en":
            continue
        command = ["espeak-ng", "-q", "-x", "-v", BASE_VOICES[language][0], spoken_form(language, text)]
        reading = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        syllables = len(re.findall("[0-9]+", reading))  # each carries its tone
        characters = len(re.sub("[，。]", "", text))
        assert syllables == characters and "(en)" not in reading, f"not read well: {text} {reading}"


def speak_heldout(espeak, corpus, index, language, text, whispered, rng) -> None:
    base = rng.choice(HELDOUT_BASE_VOICES[language])
    variant = rng.choice(HELDOUT_WHISPER_VARIANTS if whispered else HELDOUT_VARIANTS)
    voice = f"{base}+{variant}"
    spoken = espeak.say(voice, spoken_form(language, text), int(rng.integers(145, 190)), int(rng.integers(40, 60)))
    add(corpus, spoken, index, language, text, f"espeak/{voice}", whispered)


def speak_for_training(espeak, corpus, index, language, text, rng) -> None:
    if language == "en" and rng.random() < FLITE_SHARE:
        flite_voice = rng.choice(FLITE_VOICES)
        spoken = Spoken(flite_say(flite_voice, text, rng.uniform(0.8, 1.3)))
        # flite names no phonemes; the American espeak-ng voice's are close enough for the auxiliary loss.
        spoken.phonemes = espeak.say("en-us", text).phonemes
        voice, whispered = f"flite/{flite_voice}", False
    else:
        whispered = rng.random() < WHISPER_VARIANT_SHARE
        variant = rng.choice(TRAIN_WHISPER_VARIANTS if whispered else TRAIN_VARIANTS)
        voice = f"{rng.choice(BASE_VOICES[language])}+{variant}"
        spoken = espeak.say(
            voice,
            spoken_form(language, text),
            words_per_minute=int(rng.integers(125, 215)),
            pitch=int(rng.integers(25, 80)),
            pitch_range=int(rng.integers(20, 85)),
        )
        voice = f"espeak/{voice}"
    if not whispered and rng.random() < MADE_WHISPER_SHARE:
        spoken.samples, whispered, voice = whisper(spoken.samples, rng), True, voice + "/whispered"
    add(corpus, spoken, index, language, text, voice, whispered)


def add(corpus: CorpusWriter, spoken: Spoken, index, language, text, voice, whispered) -> None:
    corpus.add(
        spoken.samples,
        sentence=index,
        language=language,
        text=text,
        voice=str(voice),
        whispered=bool(whispered),
        active_dbfs=round(active_level_dbfs(spoken.samples / 32768), 2),
        phonemes=spoken.phonemes,
        word_end_samples=spoken.word_end_samples,
        word_end_chars=spoken.word_end_chars,
    )


if __name__ == "__main__":
    main()
