"""Endless training batches, made in a process of their own while the model learns."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

from corpus import Corpus
from features import HOP_SAMPLES, WINDOW_FRAMES, log_mel, padded_frames
from network import Batch
from windows import Recipe, Window, WindowMaker

WINDOWS_PER_ROUND = 160  # made together, then sorted by length so that a batch holds equals


class Batches(IterableDataset):
    def __init__(self, speech_dir: Path, phoneme_ids: dict[str, int], recipe: Recipe, pads: "Pads", seed: int):
        self._speech_dir, self._phoneme_ids = speech_dir, phoneme_ids
        self._recipe, self._pads, self._seed = recipe, pads, seed

    def __iter__(self) -> Iterator[Batch]:
        torch.set_num_threads(1)
        rng = np.random.default_rng(self._seed)
        maker = WindowMaker(Corpus(self._speech_dir, "train"), self._recipe, self._seed + 1)
        while True:
            windows = sorted((maker.make() for _ in range(WINDOWS_PER_ROUND)), key=lambda window: len(window.samples))
            windows = [window for window in windows if window.readings and padded_frames(len(window.samples)) > 0]
            groups = list(self._pads.groups(windows, rng))
            for place in rng.permutation(len(groups)):
                group, frames = groups[place]
                yield self._batch(group, frames, rng)

    def _batch(self, windows: list[Window], frames: int, rng: np.random.Generator) -> Batch:
        features = log_mel([window.samples for window in windows], frames)
        hide_parts(features, rng)
        readings = [(place, reading) for place, window in enumerate(windows) for reading in window.readings]
        phonemes = [None if window.phonemes is None else [self._phoneme_ids[p] for p in window.phonemes] for window in windows]
        return Batch(features, readings, phonemes)


class Pads:
    """How windows are grouped and how far beyond their content they are padded with silence."""

    def __init__(self, frame_budget: int, loose_share: float, full_share: float):
        """`full_share` of the windows are padded to 30 s, as the runtime does; `loose_share` to up to 2.5 × their length."""
        self._frame_budget, self._loose_share, self._full_share = frame_budget, loose_share, full_share

    def groups(self, windows: list[Window], rng: np.random.Generator) -> Iterator[tuple[list[Window], int]]:
        full = [window for window in windows if rng.random() < self._full_share]
        for start in range(0, len(full), self._most(WINDOW_FRAMES)):
            yield full[start : start + self._most(WINDOW_FRAMES)], WINDOW_FRAMES
        rest = [window for window in windows if not any(window is other for other in full)]
        while rest:  # longest first
            frames = padded_frames(len(rest[-1].samples))
            if rng.random() < self._loose_share:
                frames = min(WINDOW_FRAMES, padded_frames(int(frames * rng.uniform(1.0, 2.5)) * HOP_SAMPLES))
            count = self._most(frames)
            yield rest[-count:], frames
            rest = rest[:-count]

    def _most(self, frames: int) -> int:
        return max(2, min(64, self._frame_budget // frames))


def hide_parts(features: torch.Tensor, rng: np.random.Generator) -> None:
    """SpecAugment, mild: sometimes a few mel bands or a short moment are blanked, in place."""
    for row in range(len(features)):
        floor = features[row].min()
        if rng.random() < 0.3:
            band = int(rng.integers(0, 112))
            features[row, band : band + int(rng.integers(1, 14))] = floor
        if rng.random() < 0.2:
            moment = int(rng.integers(0, features.shape[2]))
            features[row, :, moment : moment + int(rng.integers(1, 7))] = floor


def loader(batches: Batches) -> Iterator[Batch]:
    return iter(DataLoader(batches, batch_size=None, num_workers=1, prefetch_factor=8))


def phoneme_inventory(speech_dir: Path) -> dict[str, int]:
    """Phoneme → CTC id; 0 is the blank. Languages keep their phonemes apart."""
    names = set()
    for clip in Corpus(speech_dir, "train").clips:
        names.update(clip.phonemes)
    return {name: index for index, name in enumerate(sorted(names), 1)}
