"""Text to speech: espeak-ng through its library, flite through its command.

`Espeak.say` returns 16 kHz samples together with the phonemes spoken and where each
word ends, which is what prefix windows and the auxiliary CTC loss are made from.
"""

import ctypes
import subprocess
import tempfile
import wave
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soxr

SAMPLE_RATE = 16_000

_SYNCHRONOUS = 2
_PHONEME_EVENTS = 0x0001
_DO_NOT_EXIT = 0x8000
_UTF8 = 1
_END_PAUSE = 0x1000
_POSITION_IS_CHARACTER = 1
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_QUIET_ENOUGH_NOT_TO_CLIP = 45  # 100 is the engine's normal; levels are set later anyway
_EVENT_TERMINATED, _EVENT_WORD, _EVENT_PHONEME = 0, 1, 7
_PAUSES = {"_", "_:", "_|", "", "_!", "_::"}


@dataclass
class Spoken:
    """One clip: samples at 16 kHz, and what is heard where."""

    samples: np.ndarray  # int16
    phonemes: list[str] = field(default_factory=list)
    word_end_samples: list[int] = field(default_factory=list)
    word_end_chars: list[int] = field(default_factory=list)  # length of the text heard once that word has ended


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    ]


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


def system_data_dir() -> Path:
    """Where the installed espeak-ng keeps its data."""
    version = subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True, check=True).stdout
    return Path(version.split("Data at:")[1].strip())


class Espeak:
    """espeak-ng reading from a data folder (the library allows one per process)."""

    def __init__(self, data_dir: Path):
        self._library = ctypes.CDLL("libespeak-ng.so.1")
        parent = str(Path(data_dir).resolve().parent).encode()
        self.rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, parent, _PHONEME_EVENTS | _DO_NOT_EXIT)
        assert self.rate > 0, f"espeak-ng found no data in {data_dir}"
        self._blocks: list[np.ndarray] = []
        self._events: list[tuple[int, int, int, str]] = []
        self._callback = _CALLBACK(self._receive)  # kept, or the garbage collector takes it
        self._library.espeak_SetSynthCallback(self._callback)

    def _receive(self, samples, count, events):
        index = 0
        while events[index].type != _EVENT_TERMINATED:
            event = events[index]
            name = bytes(event.id).split(b"\0")[0].decode("utf-8", "replace") if event.type == _EVENT_PHONEME else ""
            self._events.append((event.type, event.text_position, event.sample, name))
            index += 1
        if samples and count:
            self._blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    def say(self, voice: str, text: str, words_per_minute: int = 175, pitch: int = 50, pitch_range: int = 50) -> Spoken:
        assert self._library.espeak_SetVoiceByName(voice.encode()) == 0, f"no voice {voice}"
        for parameter, value in (
            (_RATE, words_per_minute),
            (_VOLUME, _QUIET_ENOUGH_NOT_TO_CLIP),
            (_PITCH, pitch),
            (_RANGE, pitch_range),
        ):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._blocks.clear()
        self._events.clear()
        data = text.encode("utf-8")
        self._library.espeak_Synth(data, len(data) + 1, 0, _POSITION_IS_CHARACTER, 0, _UTF8 | _END_PAUSE, None, None)
        return _finish(np.concatenate(self._blocks), self.rate, self._events, text)


def _finish(samples: np.ndarray, rate: int, events: list, text: str) -> Spoken:
    """Trims the silence around the speech and turns events into phonemes and word ends."""
    phonemes: list[str] = []
    words: list[list[int]] = []  # [text position from 1, end sample or -1 while the word goes on]
    first_sample = None
    for kind, position, sample, name in events:
        # A word ends where a pause or the next word begins; "_|" only marks a boundary.
        ends_word = kind == _EVENT_WORD or (kind == _EVENT_PHONEME and name in _PAUSES and name != "_|")
        if ends_word and words and words[-1][1] < 0:
            words[-1][1] = sample
        if kind == _EVENT_WORD and 1 <= position <= len(text) and (not words or position > words[-1][0]):
            words.append([position, -1])
        elif kind == _EVENT_PHONEME and name not in _PAUSES:
            phonemes.append(name.strip("#|'%,"))
            first_sample = sample if first_sample is None else first_sample
    end_sample = _last_speech_pause(events, len(samples))
    start_sample = max(0, (first_sample or 0) - rate // 100)
    end_sample = min(len(samples), end_sample + rate // 20)
    clip = soxr.resample(samples[start_sample:end_sample].astype(np.float32), rate, SAMPLE_RATE, quality="HQ")
    spoken = Spoken(np.clip(np.round(clip), -32768, 32767).astype(np.int16), phonemes)
    for index, (_, end) in enumerate(words):
        heard_chars = words[index + 1][0] - 1 if index + 1 < len(words) else len(text)
        end = min(end if end >= 0 else end_sample, end_sample)
        spoken.word_end_samples.append(round((end - start_sample) * SAMPLE_RATE / rate))
        spoken.word_end_chars.append(len(text[:heard_chars].rstrip(" ,，。.")))
    return spoken


def _last_speech_pause(events: list, sample_count: int) -> int:
    """The sample at which the pause after the last spoken phoneme begins."""
    end = sample_count
    for kind, _, sample, name in reversed(events):
        if kind != _EVENT_PHONEME:
            continue
        if name not in _PAUSES:
            return end
        end = sample
    return end


def flite_say(voice: str, text: str, duration_stretch: float = 1.0) -> np.ndarray:
    """int16 samples at 16 kHz, silence trimmed. flite knows English only and reports no word times."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run(
            ["flite", "-voice", voice, "--setf", f"duration_stretch={duration_stretch:.3f}", "-t", text, "-o", file.name], check=True
        )
        with wave.open(file.name) as wav:
            rate = wav.getframerate()
            samples = np.frombuffer(wav.readframes(wav.getnframes()), np.int16)
    resampled = soxr.resample(samples.astype(np.float32), rate, SAMPLE_RATE, quality="HQ")
    return trim_silence(np.clip(np.round(resampled), -32768, 32767).astype(np.int16))


def trim_silence(samples: np.ndarray, below_peak_db: float = 45.0, margin_samples: int = 480) -> np.ndarray:
    block = 160
    count = len(samples) // block
    power = (samples[: count * block].astype(np.float64).reshape(count, block) ** 2).mean(1) + 1e-9
    loud = np.flatnonzero(10 * np.log10(power) > 10 * np.log10(power.max()) - below_peak_db)
    start = max(0, loud[0] * block - margin_samples)
    return samples[start : (loud[-1] + 1) * block + margin_samples]
