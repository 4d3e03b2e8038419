"""Measures a checkpoint with the reference library on voices it has never heard.

    python evaluate.py CHECKPOINT [--work build/sample-model] [--per-scene 493] [--seed 11] [--out results.json]

Every sentence is read once per scene by a held-out voice: greedy, one window padded to
30 s, exactly as the reference does it. Then the other duties: short pads, prefixes,
row cuts, several sentences in a window, and windows in which nobody speaks.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from transformers import AutoProcessor, GlmAsrForConditionalGeneration

from corpus import Clip, Corpus
from features import WINDOW_FRAMES, audio_rows, log_mel, padded_frames
from levels import gain_to, to_16_bit
from network import Prompts, Reader, read_windows
from scenery import SoundPool, speechless
from scenes import SCENES, render
from scoring import character_error_rate, normalized
from sounds import any_noise, music
from windows import Reading, Recipe, WindowMaker

SAMPLE_RATE = 16_000
BATCH = 8
Pairs = list[tuple[str, str, str]]  # group, reference, reading


class Evaluation:
    def __init__(self, checkpoint: Path, work: Path, per_scene: int, seed: int):
        self.model = GlmAsrForConditionalGeneration.from_pretrained(checkpoint, dtype=torch.float32).eval()
        self.processor = AutoProcessor.from_pretrained(checkpoint)
        self.reader = Reader(self.model, Prompts(checkpoint), 1).eval()
        self.corpus = Corpus(work / "speech", "heldout")
        self.per_scene, self.seed = per_scene, seed

    def clips(self, whispered: bool) -> list[Clip]:
        """One clip of every sentence, by a held-out voice that the seed draws."""
        rng = np.random.default_rng(self.seed + whispered)
        by_sentence = defaultdict(list)
        for clip in self.corpus.clips:
            if clip.whispered == whispered:
                by_sentence[clip.sentence].append(clip)
        chosen = [clips[rng.integers(len(clips))] for clips in by_sentence.values()]
        if len(chosen) > self.per_scene:
            chosen = [chosen[place] for place in sorted(rng.choice(len(chosen), self.per_scene, replace=False))]
        return chosen

    @torch.no_grad()
    def read(self, windows: list[np.ndarray]) -> list[str]:
        """The reference's way: processor, 30 s pad, generate."""
        texts = []
        for start in range(0, len(windows), BATCH):
            inputs = self.processor.apply_transcription_request(windows[start : start + BATCH])
            ids = self.model.generate(**inputs, do_sample=False, max_new_tokens=160)
            texts += self.processor.batch_decode(ids[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        return [text.strip() for text in texts]

    def read_short(self, windows: list[np.ndarray]) -> list[str]:
        """Padded only to the next multiple of 8 frames."""
        texts = []
        for samples in windows:
            features = log_mel([samples], padded_frames(len(samples)))
            texts += read_windows(self.reader, features, [(0, Reading(0, audio_rows(len(samples)), ""))])
        return texts

    def scenes(self) -> dict:
        results = {}
        for scene in SCENES:
            clips = self.clips(scene.whispered)
            windows = [render(self.corpus.samples(clip), scene, self.seed + clip.sentence) for clip in clips]
            results[scene.name] = self.rates([(clip.language, clip.text, text) for clip, text in zip(clips, self.read(windows))])
            if scene.name in ("clean-20", "clean-45"):
                short = self.read_short(windows)
                results[scene.name + " short pad"] = self.rates([(clip.language, clip.text, text) for clip, text in zip(clips, short)])
            print(scene.name, json.dumps({k: v for k, v in results[scene.name].items() if k != "wrong"}), flush=True)
        return results

    def prefixes(self) -> dict:
        """Cut 0–60 ms after a word's end, at −20 dBFS, without a pause behind it."""
        rng = np.random.default_rng(self.seed + 2)
        clips = [clip for clip in self.clips(False) if len(clip.word_end_samples) > 2]
        windows, pairs = [], []
        for clip in clips:
            word = int(rng.integers(0, len(clip.word_end_samples) - 1))
            cut = clip.word_end_samples[word] + int(rng.integers(0, 960))
            speech = self.corpus.samples(clip)[:cut] * gain_to(-20, clip.active_dbfs)
            windows.append(to_16_bit(np.concatenate([np.zeros(3200, np.float32), speech])))
            pairs.append((clip.language, clip.text[: clip.word_end_chars[word]]))
        return self.rates([(*pair, text) for pair, text in zip(pairs, self.read(windows))])

    def composed(self, kind: str, count: int) -> dict:
        """Windows as in training but of held-out voices: "timeline" (row cuts) or "joined" (several sentences)."""
        maker = WindowMaker(self.corpus, Recipe({kind: 1.0}, hard=0.0, longest_seconds=28), self.seed + 3)
        pairs = []
        for _ in range(count):
            window = maker.make()
            readings = [(0, Reading(reading.start_row, reading.end_row, reading.text)) for reading in window.readings]
            texts = read_windows(self.reader, log_mel([window.samples], WINDOW_FRAMES), readings, most_ids=160)
            pairs += [(kind, reading.text, text) for (_, reading), text in zip(readings, texts)]
        return self.rates(pairs)

    def speechless(self, count: int) -> dict:
        """Share of windows that rightly give the empty text."""
        rng = np.random.default_rng(self.seed + 4)
        pool, results = SoundPool(rng), {}
        sources = {
            "silence": lambda n: np.zeros(n, np.float32),
            "noise": lambda n: any_noise(n, rng) * 10 ** (rng.uniform(-75, -15) / 20),
            "music": lambda n: music(n, rng) * 10 ** (rng.uniform(-75, -15) / 20),
            "mixed": lambda n: speechless(n, pool, rng),
        }
        for name, source in sources.items():
            seconds = [2 ** rng.uniform(-1, 4.9) for _ in range(4 if name == "silence" else count)]
            texts = self.read([to_16_bit(source(int(s * SAMPLE_RATE))) for s in seconds])
            results[name] = {"windows": len(texts), "empty %": round(100 * sum(not text for text in texts) / len(texts), 2), "wrong": [t for t in texts if t][:8]}
        return results

    def rates(self, pairs: Pairs) -> dict:
        groups = {"all": pairs} | {group: [p for p in pairs if p[0] == group] for group in sorted({p[0] for p in pairs})}
        result = {name: round(100 * character_error_rate([(r, t) for _, r, t in group]), 2) for name, group in groups.items()}
        wrong = [(reference, text) for _, reference, text in pairs if normalized(reference) != normalized(text)]
        return {"readings": len(pairs), **result, "exact %": round(100 * sum(r == t for _, r, t in pairs) / max(1, len(pairs)), 1), "wrong": wrong[:12]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--work", type=Path, default=Path("build/sample-model"))
    parser.add_argument("--per-scene", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    evaluation = Evaluation(args.checkpoint, args.work, args.per_scene, args.seed)
    few = max(8, args.per_scene // 5) if args.per_scene < 500 else 120
    results = {"scenes": evaluation.scenes(), "prefix": evaluation.prefixes()}
    results["row cut"] = evaluation.composed("timeline", few // 2)
    results["joined"] = evaluation.composed("joined", few)
    results["speechless"] = evaluation.speechless(few)
    for name in ("prefix", "row cut", "joined", "speechless"):
        print(name, json.dumps(results[name], ensure_ascii=False), flush=True)
    if args.out:
        args.out.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
