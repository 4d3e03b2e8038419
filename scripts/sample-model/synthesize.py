"""Speaks every sentence with many voices: the training corpus and the held-out one.

    python synthesize.py [--work build/sample-model] [--renditions 80] [--seed 1]

Writes WORK/speech/{train,heldout}.{s16,jsonl}. Takes about ten minutes on one core.
"""

import argparse
import pickle
import re
import subprocess
import tempfile
from multiprocessing import Process
from multiprocessing.pool import ThreadPool
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
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()

    data_dir = args.work / "espeak-ng-data"
    args.work.mkdir(parents=True, exist_ok=True)
    write_variants(system_data_dir(), data_dir)
    sentences = load_sentences()
    check_readings(sentences)
    for name, seed, renditions in (("heldout", args.seed + 1_000_000, 0), ("train", args.seed, args.renditions)):
        corpus = CorpusWriter(args.work / "speech", name)
        tasks = [(data_dir, index, *sentence, renditions, seed + 1000 * index) for index, sentence in enumerate(sentences)]
        with ThreadPool(args.processes) as pool:
            for index, clips in enumerate(pool.imap(speak_apart, tasks)):
                for clip in clips:
                    add(corpus, *clip)
                if index % 50 == 0:
                    print(f"{name}: {index} of {len(sentences)} sentences", flush=True)
        corpus.close()


def speak_apart(task: tuple) -> list[tuple]:
    """Speaks one sentence in a process of its own: the engine starts fresh, and may crash without harm."""
    *place, seed = task
    for attempt in range(20):
        with tempfile.NamedTemporaryFile() as file:
            process = Process(target=speak_sentence, args=(*place, seed + attempt, file.name))
            process.start()
            process.join()
            if process.exitcode == 0:
                return pickle.loads(Path(file.name).read_bytes())
        print(f"the engine crashed on {task[3]}; trying other voices", flush=True)
    raise RuntimeError(f"the engine keeps crashing on {task[3]}")


def speak_sentence(data_dir: Path, index: int, language: str, text: str, renditions: int, seed: int, path: str) -> None:
    """Writes a list of (Spoken, sentence index, language, text, voice, whispered); no renditions means held-out voices."""
    espeak, rng = Espeak(data_dir), np.random.default_rng(seed)
    clips = []
    if renditions:
        clips = [speak_for_training(espeak, index, language, text, rng) for _ in range(renditions)]
    else:
        clips = [speak_heldout(espeak, index, language, text, whispered, rng) for whispered in (False, False, False, True)]
        if language == "en":
            samples = flite_say(HELDOUT_FLITE_VOICES[0], text, rng.uniform(0.9, 1.1))
            clips.append((Spoken(samples), index, language, text, f"flite/{HELDOUT_FLITE_VOICES[0]}", False))
    Path(path).write_bytes(pickle.dumps(clips))


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


def speak_heldout(espeak, index, language, text, whispered, rng) -> tuple:
    base = rng.choice(HELDOUT_BASE_VOICES[language])
    variant = rng.choice(HELDOUT_WHISPER_VARIANTS if whispered else HELDOUT_VARIANTS)
    voice = f"{base}+{variant}"
    spoken = espeak.say(voice, spoken_form(language, text), int(rng.integers(145, 190)), int(rng.integers(40, 60)))
    return spoken, index, language, text, f"espeak/{voice}", whispered


def speak_for_training(espeak, index, language, text, rng) -> tuple:
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
    return spoken, index, language, text, voice, whispered


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
