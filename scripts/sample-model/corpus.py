"""A corpus on disk: one file of 16-bit samples, one of facts about each clip."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np


@dataclass
class Clip:
    """Where a clip's samples lie and what is known about it."""

    start_sample: int
    sample_count: int
    sentence: int  # index into load_sentences()
    language: str
    text: str
    voice: str
    whispered: bool
    active_dbfs: float
    phonemes: list[str]
    word_end_samples: list[int]
    word_end_chars: list[int]


class CorpusWriter:
    def __init__(self, directory: Path, name: str):
        directory.mkdir(parents=True, exist_ok=True)
        self._samples = (directory / f"{name}.s16").open("wb")
        self._facts = (directory / f"{name}.jsonl").open("w", encoding="utf-8")
        self._position = 0

    def add(self, samples: np.ndarray, **facts) -> None:
        clip = Clip(start_sample=self._position, sample_count=len(samples), **facts)
        self._samples.write(samples.astype("<i2").tobytes())
        self._facts.write(json.dumps(asdict(clip), ensure_ascii=False) + "\n")
        self._position += len(samples)

    def close(self) -> None:
        self._samples.close()
        self._facts.close()


class Corpus:
    def __init__(self, directory: Path, name: str):
        self.clips = [Clip(**json.loads(line)) for line in (directory / f"{name}.jsonl").open(encoding="utf-8")]
        self._samples = np.memmap(directory / f"{name}.s16", dtype="<i2", mode="r")

    def samples(self, clip: Clip) -> np.ndarray:
        """float32, full scale 1.0."""
        return self._samples[clip.start_sample : clip.start_sample + clip.sample_count].astype(np.float32) / 32768
