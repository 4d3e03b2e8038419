"""What happens to clean speech on its way to the microphone, drawn at random for training.

    clip ─► tempo ─► tone ─► room ─► telephone ─► level ─► noise, music ─► 16 bits
"""

import numpy as np
from scipy.signal import lfilter

from levels import to_16_bit
from sounds import any_noise, in_room, music, over_telephone, room_response

SAMPLE_RATE = 16_000
_TRACK_SAMPLES = 12 * SAMPLE_RATE


class SoundPool:
    """Ready-made tracks to cut backgrounds from; renewed a little all the time."""

    def __init__(self, rng: np.random.Generator, noise_tracks: int = 40, music_tracks: int = 24, rooms: int = 150):
        self._rng = rng
        self._noises = [any_noise(_TRACK_SAMPLES, rng) for _ in range(noise_tracks)]
        self._musics = [music(_TRACK_SAMPLES, rng) for _ in range(music_tracks)]
        self._rooms = [room_response(rng) for _ in range(rooms)]

    def renew(self) -> None:
        rng = self._rng
        self._noises[rng.integers(len(self._noises))] = any_noise(_TRACK_SAMPLES, rng)
        if rng.random() < 0.3:
            self._musics[rng.integers(len(self._musics))] = music(_TRACK_SAMPLES, rng)
        for _ in range(5):
            self._rooms[rng.integers(len(self._rooms))] = room_response(rng)

    def noise(self, count: int) -> np.ndarray:
        return self._cut(self._noises, count)

    def music(self, count: int) -> np.ndarray:
        return self._cut(self._musics, count)

    def room(self) -> np.ndarray:
        return self._rooms[self._rng.integers(len(self._rooms))]

    def _cut(self, tracks: list[np.ndarray], count: int) -> np.ndarray:
        """A piece of one track at an RMS of 1; short tracks are repeated."""
        track = tracks[self._rng.integers(len(tracks))]
        start = int(self._rng.integers(0, len(track)))
        piece = np.take(track, np.arange(start, start + count), mode="wrap")
        return piece / max(float(np.sqrt(np.mean(piece * piece))), 1e-9)


def quick_active_rms(x: np.ndarray) -> float:
    """RMS of the blocks within 25 dB of the loudest: close to the active speech level, and cheap."""
    block = 320
    count = len(x) // block
    if count == 0:
        return float(np.sqrt(np.mean(x * x))) + 1e-12
    power = (x[: count * block].reshape(count, block) ** 2).mean(1)
    return float(np.sqrt(power[power > power.max() * 10**-2.5].mean())) if power.max() > 0 else 1e-12


def change_tempo(x: np.ndarray, factor: float) -> np.ndarray:
    """Plays faster (factor > 1) or slower; the pitch moves along."""
    count = int(len(x) / factor)
    return np.interp(np.arange(count) * factor, np.arange(len(x)), x).astype(np.float32)


def draw_level_dbfs(rng: np.random.Generator) -> float:
    return rng.uniform(-50, -10) if rng.random() < 0.72 else rng.uniform(-63, -45)


class Microphone:
    """One recording situation: the same room, line, background and level for every utterance of a window."""

    def __init__(self, pool: SoundPool, rng: np.random.Generator, hard: float):
        """`hard` from 0 (clean) to 1 scales how often and how strongly each disturbance comes."""
        self._pool, self._rng = pool, rng
        self.level_dbfs = draw_level_dbfs(rng)
        self._tilt = rng.uniform(-0.5, 0.9) if rng.random() < 0.35 * hard else 0.0
        self._room = pool.room() if rng.random() < 0.30 * hard else None
        self._telephone = 10 ** rng.uniform(-0.3, 1.0) if rng.random() < 0.15 * hard else 0.0
        self._noise_db = rng.uniform(6, 45) if rng.random() < 0.6 * hard else None
        self._music_db = rng.uniform(4, 30) if rng.random() < 0.2 * hard else None
        self._floor_dbfs = rng.uniform(-92, -68) if rng.random() < 0.5 else None

    def hear(self, clip: np.ndarray, offset_db: float = 0.0) -> np.ndarray:
        """The utterance as it arrives, at the window's level; longer than the clip where a room adds its tail."""
        x = clip
        if self._tilt:
            x = lfilter([1, -self._tilt], [1], x).astype(np.float32)
        if self._room is not None:
            x = in_room(x, self._room)
        if self._telephone:
            x = over_telephone(x / quick_active_rms(x) * 0.05, self._telephone)
        return x * (10 ** ((self.level_dbfs + offset_db) / 20) / quick_active_rms(x))

    def finish(self, window: np.ndarray) -> np.ndarray:
        """Adds the background to the whole window and stores it with 16 bits."""
        x = window
        level = 10 ** (self.level_dbfs / 20)
        if self._noise_db is not None:
            x = x + self._pool.noise(len(x)) * (level * 10 ** (-self._noise_db / 20))
        if self._music_db is not None:
            x = x + self._pool.music(len(x)) * (level * 10 ** (-self._music_db / 20))
        if self._floor_dbfs is not None:
            x = x + self._rng.standard_normal(len(x)).astype(np.float32) * 10 ** (self._floor_dbfs / 20)
        return to_16_bit(x)


def speechless(count: int, pool: SoundPool, rng: np.random.Generator) -> np.ndarray:
    """A window in which nobody speaks: digital silence, noise, music, or several of them."""
    if rng.random() < 0.06:
        return np.zeros(count, np.float32)
    x = np.zeros(count, np.float32)
    level_dbfs = rng.uniform(-85, -12)
    kind = rng.random()
    if kind < 0.7:
        x += pool.noise(count) * 10 ** (level_dbfs / 20)
    if kind > 0.55:
        x += pool.music(count) * 10 ** ((level_dbfs + rng.uniform(-10, 3)) / 20)
    if rng.random() < 0.3:
        x += pool.noise(count) * 10 ** ((level_dbfs - rng.uniform(0, 25)) / 20)
    if rng.random() < 0.2:  # a sound that begins or ends inside the window
        start, end = sorted(rng.integers(0, count + 1, 2))
        x[:start] *= 10 ** (-rng.uniform(10, 60) / 20)
        x[end:] *= 10 ** (-rng.uniform(10, 60) / 20)
    return to_16_bit(x)
