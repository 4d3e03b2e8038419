"""Sounds that are not speech, made from nothing: noises of many colours, household sounds, music, rooms."""

import numpy as np
from scipy.signal import butter, fftconvolve, resample_poly, sosfilt

SAMPLE_RATE = 16_000


def _unit(x: np.ndarray) -> np.ndarray:
    """Same sound at an RMS of 1."""
    return (x / max(float(np.sqrt(np.mean(x * x))), 1e-9)).astype(np.float32)


def colored_noise(count: int, exponent: float, rng: np.random.Generator, bumps: int = 0) -> np.ndarray:
    """Noise whose power falls as 1/f^exponent (0 white, 1 pink, 2 brown), with optional resonances."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    shape = np.maximum(hertz, 20.0) ** (-exponent / 2)
    for _ in range(bumps):
        center_hz, octaves = 2 ** rng.uniform(6, 12.8), rng.uniform(0.1, 0.7)
        shape = shape * (1 + rng.uniform(1, 8) * np.exp(-(np.log2(np.maximum(hertz, 1) / center_hz) ** 2) / octaves**2))
    return _unit(np.fft.irfft(spectrum * shape, count))


def hum(count: int, rng: np.random.Generator) -> np.ndarray:
    """Mains hum with its harmonics."""
    seconds = np.arange(count) / SAMPLE_RATE
    base_hz = rng.choice([50.0, 60.0, 100.0, 120.0]) * rng.uniform(0.998, 1.002)
    wave = sum(
        rng.uniform(0, 1) / harmonic * np.sin(2 * np.pi * (base_hz * harmonic * seconds + rng.random()))
        for harmonic in range(1, int(rng.integers(4, 25)))
    )
    return _unit(wave + 0.05 * rng.standard_normal(count))


def hiss(count: int, rng: np.random.Generator) -> np.ndarray:
    low_hz = rng.uniform(800, 4000)
    return _unit(sosfilt(butter(2, low_hz, "high", fs=SAMPLE_RATE, output="sos"), rng.standard_normal(count)))


def knocks(count: int, rng: np.random.Generator) -> np.ndarray:
    """Keyboard, crockery, footsteps: short decaying bursts at uneven times."""
    wave = np.zeros(count + SAMPLE_RATE)
    interval_seconds = 2 ** rng.uniform(-4, 0.5)
    decay_seconds = 2 ** rng.uniform(-9, -3)
    burst_count = int(decay_seconds * 6 * SAMPLE_RATE) + 8
    time = np.arange(burst_count) / SAMPLE_RATE
    start = 0
    while start < count:
        ring_hz = rng.uniform(100, 5000)
        burst = np.exp(-time / decay_seconds) * (
            rng.uniform(0, 1) * rng.standard_normal(burst_count) + rng.uniform(0, 1) * np.sin(2 * np.pi * ring_hz * time)
        )
        end = min(start + burst_count, len(wave))
        wave[start:end] += burst[: end - start] * rng.uniform(0.2, 1)
        start += int(rng.exponential(interval_seconds) * SAMPLE_RATE) + 200
    return _unit(wave[:count] + 1e-4 * rng.standard_normal(count))


def calls(count: int, rng: np.random.Generator) -> np.ndarray:
    """Beeps, bells, birds, sirens: gliding tones with gaps."""
    wave = np.zeros(count)
    start = int(rng.integers(0, SAMPLE_RATE))
    base_hz = 2 ** rng.uniform(7.5, 12)
    while start < count:
        length = int(2 ** rng.uniform(-5, 0.5) * SAMPLE_RATE)
        length = min(length, count - start)
        time = np.arange(length) / SAMPLE_RATE
        glide_hz = base_hz * rng.uniform(0.8, 1.25) + rng.uniform(-1, 1) * base_hz * 0.5 * time
        glide_hz = glide_hz * (1 + rng.uniform(0, 0.1) * np.sin(2 * np.pi * rng.uniform(3, 30) * time))
        phase = 2 * np.pi * np.cumsum(glide_hz) / SAMPLE_RATE
        tone = np.sin(phase) + rng.uniform(0, 0.5) * np.sin(2 * phase) + rng.uniform(0, 0.3) * np.sin(3 * phase)
        wave[start : start + length] += tone * np.sin(np.pi * np.arange(length) / max(length, 1)) ** rng.uniform(0.1, 1)
        start += length + int(rng.exponential(0.4) * SAMPLE_RATE)
    return _unit(wave + 1e-4 * rng.standard_normal(count))


def gusts(count: int, rng: np.random.Generator) -> np.ndarray:
    """Noise that swells and fades: wind, traffic, breathing, rustling."""
    noise = colored_noise(count, rng.uniform(-0.3, 2.2), rng, bumps=int(rng.integers(0, 4)))
    points = max(4, int(count / SAMPLE_RATE * 2 ** rng.uniform(-1, 3)))
    swell = np.interp(np.arange(count), np.linspace(0, count, points), 10 ** (rng.uniform(-25, 0, points) / 20))
    return _unit(noise * swell)


def any_noise(count: int, rng: np.random.Generator) -> np.ndarray:
    kind = rng.random()
    if kind < 0.45:
        return colored_noise(count, rng.choice([0.0, 1.0, 2.0, rng.uniform(-0.5, 2.3)]), rng, bumps=int(rng.integers(0, 4)))
    if kind < 0.55:
        return hum(count, rng)
    if kind < 0.65:
        return hiss(count, rng)
    if kind < 0.78:
        return gusts(count, rng)
    if kind < 0.90:
        return knocks(count, rng)
    return calls(count, rng)


_CHORDS = ((0, 4, 7), (0, 3, 7), (0, 4, 7, 10), (0, 3, 7, 10), (0, 5, 7), (0, 7, 12))
_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9))


def music(count: int, rng: np.random.Generator) -> np.ndarray:
    """Chords, a melody, sometimes a bass and drums, in a random key, tempo and timbre."""
    wave = np.zeros(count + 2 * SAMPLE_RATE, np.float64)
    beat = int(SAMPLE_RATE * 60 / rng.uniform(60, 150))
    key = rng.uniform(45, 57)
    scale = _SCALES[rng.integers(len(_SCALES))]
    chord_timbre, melody_timbre = _timbre(rng), _timbre(rng)
    has_chords, has_melody, has_bass, has_drums = rng.random(4) < (0.85, 0.8, 0.4, 0.35)
    for bar in range(0, count, beat * 4):
        root = key + scale[rng.integers(len(scale))]
        if has_chords or not has_melody:
            for step in _CHORDS[rng.integers(len(_CHORDS))]:
                _play(wave, bar, beat * 4, root + step, 0.5, chord_timbre)
        for quarter in range(4):
            start = bar + quarter * beat
            if has_bass:
                _play(wave, start, beat, root - 12, 0.7, chord_timbre)
            if has_melody:
                for half in range(int(rng.choice([1, 1, 2]))):
                    note = key + 12 + scale[rng.integers(len(scale))] + 12 * rng.integers(0, 2)
                    _play(wave, start + half * beat // 2, beat, note, 0.8, melody_timbre)
            if has_drums and start < count:
                length = min(2400, len(wave) - start)
                wave[start : start + length] += rng.standard_normal(length) * np.exp(-np.arange(length) / 400) * 0.6
    return _unit(wave[:count] + 1e-5 * rng.standard_normal(count))


def _timbre(rng: np.random.Generator) -> tuple[np.ndarray, float, float]:
    harmonics = int(rng.integers(2, 9))
    amplitudes = rng.uniform(0.2, 1, harmonics) / np.arange(1, harmonics + 1) ** rng.uniform(0.5, 2)
    return amplitudes, 2 ** rng.uniform(-3, 1.5), rng.uniform(0.003, 0.08)  # decay, attack in seconds


def _play(wave, start, length, midi_note, loudness, timbre) -> None:
    amplitudes, decay_seconds, attack_seconds = timbre
    end = min(start + int(length * 1.2), len(wave))
    if end <= start:
        return
    time = np.arange(end - start) / SAMPLE_RATE
    hertz = 440 * 2 ** ((midi_note - 69) / 12)
    tone = sum(a * np.sin(2 * np.pi * hertz * h * time) for h, a in enumerate(amplitudes, 1) if hertz * h < 7500)
    envelope = np.exp(-time / decay_seconds) * np.minimum(time / attack_seconds, 1) * np.minimum((time[-1] - time) / 0.02, 1)
    wave[start:end] += loudness * tone * np.maximum(envelope, 0)


def room_response(rng: np.random.Generator, decay_seconds: float | None = None, direct_to_reverb_db: float | None = None) -> np.ndarray:
    """A made-up room: the direct sound, a few early echoes, then noise that dies away, high tones first."""
    decay_seconds = decay_seconds or rng.uniform(0.12, 0.9)  # to −60 dB
    direct_to_reverb_db = rng.uniform(-6, 14) if direct_to_reverb_db is None else direct_to_reverb_db
    count = int(decay_seconds * SAMPLE_RATE * 0.8)
    time = np.arange(count) / SAMPLE_RATE
    low = sosfilt(butter(2, 1500, "low", fs=SAMPLE_RATE, output="sos"), rng.standard_normal(count)) * 10 ** (-3 * time / decay_seconds)
    full = rng.standard_normal(count) * 10 ** (-3 * time / (decay_seconds * rng.uniform(0.4, 0.9)))
    tail = 1.5 * low + full
    tail[: int(rng.uniform(0.001, 0.012) * SAMPLE_RATE)] = 0
    for _ in range(int(rng.integers(3, 12))):
        tail[min(count - 1, int(rng.uniform(0.002, 0.05) * SAMPLE_RATE))] += rng.uniform(-6, 6)
    tail *= np.sqrt(10 ** (-direct_to_reverb_db / 10) / max(np.sum(tail * tail), 1e-12))
    tail[0] += 1.0
    return tail.astype(np.float32)


def in_room(speech: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Speech as heard in the room, its tail cut at the clip's end plus 0.2 s."""
    return fftconvolve(speech, response)[: len(speech) + SAMPLE_RATE // 5].astype(np.float32)


def over_telephone(speech: np.ndarray, level: float) -> np.ndarray:
    """300–3400 Hz at 8 kHz through 8-bit µ-law; `level` is the gain into the line, undone afterwards."""
    band = sosfilt(butter(4, (300, 3400), "band", fs=SAMPLE_RATE, output="sos"), speech)
    line = np.clip(resample_poly(band, 1, 2) * level, -1, 1)
    companded = np.sign(line) * np.log1p(255 * np.abs(line)) / np.log(256)
    companded = np.round(companded * 127) / 127
    line = np.sign(companded) * np.expm1(np.abs(companded) * np.log(256)) / 255
    return (resample_poly(line, 2, 1)[: len(speech)] / level).astype(np.float32)
