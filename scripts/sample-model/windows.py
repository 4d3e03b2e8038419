"""Training windows: what the encoder is shown, and what the decoder must read from which rows.

Kinds of window
    single    one utterance; all rows; its text
    prefix    one utterance cut off in mid-sentence; the words that were finished
    suffix    one utterance from the middle on; the words from there
    joined    several utterances with short gaps; all rows; the texts joined
    timeline  utterances anywhere on a line of up to 30 s; each read from its own rows
    nothing   nobody speaks; the empty text
"""

from dataclasses import dataclass, field

import numpy as np

from corpus import Clip, Corpus
from features import audio_rows
from make_tokenizer import INSTRUCTION
from scenery import Microphone, SoundPool, change_tempo, speechless

SAMPLE_RATE = 16_000
ROW_SAMPLES = 1280
WINDOW_SAMPLES = 30 * SAMPLE_RATE

OTHER_INSTRUCTIONS = (
    "Transcribe the audio",
    "Please write down what is said",
    "Please transcribe this audio into text, in English",
    "请将这段语音转成文字",
    "將呢段錄音轉成文字",
)


@dataclass
class Reading:
    """Rows [start_row, end_row) of the window's audio rows must be read as `text`."""

    start_row: int
    end_row: int
    text: str
    instruction: str = INSTRUCTION


@dataclass
class Window:
    samples: np.ndarray
    readings: list[Reading]
    phonemes: list[str] | None  # None where it is not known which phonemes are heard
    kind: str = ""


@dataclass
class Recipe:
    """How often each kind comes, and how hard the conditions are."""

    shares: dict[str, float] = field(default_factory=dict)
    hard: float = 1.0
    longest_seconds: float = 12.0


class WindowMaker:
    def __init__(self, corpus: Corpus, recipe: Recipe, seed: int):
        self._rng = np.random.default_rng(seed)
        self._corpus, self.recipe = corpus, recipe
        self._pool = SoundPool(self._rng)
        self._by_sentence: dict[int, list[Clip]] = {}
        for clip in corpus.clips:
            self._by_sentence.setdefault(clip.sentence, []).append(clip)
        self._sentences = list(self._by_sentence)
        self._words = sorted({word for clip in corpus.clips[::50] for word in clip.text.split() if len(word) > 3})

    def make(self) -> Window:
        rng = self._rng
        if rng.random() < 0.02:
            self._pool.renew()
        kinds = list(self.recipe.shares)
        weights = np.array([self.recipe.shares[kind] for kind in kinds])
        kind = kinds[rng.choice(len(kinds), p=weights / weights.sum())]
        window = getattr(self, f"_{kind}")()
        window.kind = kind
        for reading in window.readings:
            reading.instruction = self._instruction()
        return window

    def _instruction(self) -> str:
        rng = self._rng
        if rng.random() < 0.94:
            return INSTRUCTION
        if rng.random() < 0.5:
            return OTHER_INSTRUCTIONS[rng.integers(len(OTHER_INSTRUCTIONS))]
        hints = rng.choice(self._words, size=int(rng.integers(1, 6)), replace=False)
        return f"{INSTRUCTION}. Hot words: {', '.join(hints)}"

    def _clip(self) -> Clip:
        clips = self._by_sentence[self._sentences[self._rng.integers(len(self._sentences))]]
        return clips[self._rng.integers(len(clips))]

    def _microphone(self) -> Microphone:
        return Microphone(self._pool, self._rng, self.recipe.hard)

    def _tempo(self) -> float:
        return self._rng.uniform(0.9, 1.12) if self._rng.random() < 0.4 else 1.0

    def _seconds(self, low: float, high: float) -> int:
        return int(self._rng.uniform(low, high) * SAMPLE_RATE)

    def _heard(self, clip: Clip, microphone: Microphone, offset_db: float = 0.0) -> np.ndarray:
        tempo = self._tempo()
        samples = self._corpus.samples(clip)
        return microphone.hear(change_tempo(samples, tempo) if tempo != 1.0 else samples, offset_db)

    def _around(self, speech: np.ndarray) -> np.ndarray:
        """Silence before and after, mostly short."""
        lead, trail = (self._seconds(0, 0.35) if self._rng.random() < 0.9 else self._seconds(0.35, 1.5) for _ in range(2))
        return np.concatenate([np.zeros(lead, np.float32), speech, np.zeros(trail, np.float32)])

    def _whole(self, samples: np.ndarray, text: str, phonemes: list[str] | None) -> Window:
        samples = samples[:WINDOW_SAMPLES]
        return Window(samples, [Reading(0, audio_rows(len(samples)), text)], phonemes)

    def _single(self) -> Window:
        clip, microphone = self._clip(), self._microphone()
        window = microphone.finish(self._around(self._heard(clip, microphone)))
        return self._whole(window, clip.text, clip.phonemes)

    def _prefix(self) -> Window:
        """Cut anywhere; only words that had ended by then (give or take 30 ms) are in the text."""
        clip = self._clip()
        while len(clip.word_end_samples) < 2:
            clip = self._clip()
        microphone, rng = self._microphone(), self._rng
        if rng.random() < 0.5:  # at a word's end, or a little later
            word = int(rng.integers(0, len(clip.word_end_samples) - 1))
            cut = clip.word_end_samples[word] + self._seconds(0.0, 0.1)
        else:
            cut = int(rng.uniform(0.1, 1.0) * clip.sample_count)
        heard = [chars for chars, end in zip(clip.word_end_chars, clip.word_end_samples) if end <= cut + 480]
        text = clip.text[: heard[-1]] if heard else ""
        speech = microphone.hear(self._corpus.samples(clip))[: max(cut, 1600)]
        lead = np.zeros(self._seconds(0, 0.35), np.float32)
        return self._whole(microphone.finish(np.concatenate([lead, speech])), text, None)

    def _suffix(self) -> Window:
        """Begins at a word inside the sentence, after a comma if there is one."""
        clip = self._clip()
        while len(clip.word_end_samples) < 3:
            clip = self._clip()
        word = int(self._rng.integers(0, len(clip.word_end_samples) - 1))
        for index, chars in enumerate(clip.word_end_chars[:-1]):
            if clip.text[chars] in ",，" and self._rng.random() < 0.8:
                word = index
        text = clip.text[clip.word_end_chars[word] :].lstrip(" ,，")
        microphone = self._microphone()
        speech = microphone.hear(self._corpus.samples(clip))[clip.word_end_samples[word] :]
        return self._whole(microphone.finish(self._around(speech)), text, None)

    def _joined(self) -> Window:
        """Read as one text: sentences joined by ". " or "。", as the earlier sentence's script asks."""
        microphone = self._microphone()
        clips = [self._clip() for _ in range(self._rng.choice([2, 2, 3, 3, 4, 5]))]
        pieces, text, phonemes, used_samples = [], "", [], 0
        for clip in clips:
            speech = self._heard(clip, microphone, self._rng.uniform(-3, 3))
            if pieces and used_samples + len(speech) > self.recipe.longest_seconds * SAMPLE_RATE:
                break
            if pieces:
                pieces.append(np.zeros(self._seconds(0.15, 1.0), np.float32))
                text += ". " if text[-1].isascii() else "。"
            pieces.append(speech)
            text += clip.text
            phonemes += clip.phonemes
            used_samples = sum(map(len, pieces))
        return self._whole(microphone.finish(self._around(np.concatenate(pieces))), text, phonemes)

    def _timeline(self) -> Window:
        """Several utterances anywhere; the decoder gets one utterance's rows with 0.1–0.4 s to spare on each side."""
        microphone, rng = self._microphone(), self._rng
        limit = int(self.recipe.longest_seconds * SAMPLE_RATE * rng.uniform(0.4, 1.0))
        pieces, spans, phonemes, position = [], [], [], 0
        while True:
            gap = self._seconds(0.25, 1.2) if rng.random() < 0.6 else self._seconds(1.0, 5.0)
            clip = self._clip()
            speech = self._heard(clip, microphone, rng.uniform(-5, 5))
            if spans and position + gap + len(speech) > limit:
                break
            pieces += [np.zeros(gap, np.float32), speech]
            spans.append((position + gap, position + gap + len(speech), clip))
            phonemes += clip.phonemes
            position += gap + len(speech)
        pieces.append(np.zeros(self._seconds(0.2, 1.5), np.float32))
        samples = microphone.finish(np.concatenate(pieces)[:WINDOW_SAMPLES])
        readings = []
        for index, (start, end, clip) in enumerate(spans):
            room_before = start - (spans[index - 1][1] if index else 0)
            room_after = (spans[index + 1][0] if index + 1 < len(spans) else len(samples)) - end
            first = start - min(self._seconds(0.1, 0.4), room_before - 480)
            last = end + min(self._seconds(0.1, 0.4), room_after - 480)
            start_row, end_row = max(0, first) // ROW_SAMPLES, min(-(-last // ROW_SAMPLES), audio_rows(len(samples)))
            if end_row > start_row and end <= len(samples):
                readings.append(Reading(start_row, end_row, clip.text))
            if room_before > SAMPLE_RATE and rng.random() < 0.15:  # rows of a pause hold no text
                readings.append(Reading((start - room_before + 4000) // ROW_SAMPLES + 1, (start - 3200) // ROW_SAMPLES, ""))
        readings = [reading for reading in readings if reading.end_row > reading.start_row]
        return Window(samples, readings, phonemes)

    def _nothing(self) -> Window:
        seconds = self._rng.uniform(0.3, min(6.0, self.recipe.longest_seconds))
        if self._rng.random() < 0.15:
            seconds = self._rng.uniform(2.0, self.recipe.longest_seconds)
        return self._whole(speechless(int(seconds * SAMPLE_RATE), self._pool, self._rng), "", [])
