"""Makes a folder of held-out clips for an evaluation harness: WAV, text beside it, one manifest.

    python make_heldout.py OUT_DIR [--per-scene 30] [--work build/sample-model] [--seed 23]

Per scene the same number of English, Mandarin and Cantonese clips, as far as they go
evenly, all by voices that were never trained on; then windows in which nobody speaks,
whose text is empty. The same arguments give the same files.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from corpus import Clip, Corpus
from levels import to_16_bit
from scenes import SCENES, Scene, render
from sentences import LANGUAGES
from sounds import any_noise, music
from wav_files import SAMPLE_RATE, write_wav


def draw_clips(corpus: Corpus, scene: Scene, count: int, rng: np.random.Generator) -> list[Clip]:
    """`count` clips, languages in turn, no sentence twice."""
    candidates = [corpus.clips[place] for place in rng.permutation(len(corpus.clips)) if corpus.clips[place].whispered == scene.whispered]
    queues = {language: [] for language in LANGUAGES}
    seen = set()
    for clip in candidates:
        if clip.sentence not in seen:
            seen.add(clip.sentence)
            queues[clip.language].append(clip)
    chosen = []
    while len(chosen) < count and any(queues.values()):
        for language in LANGUAGES:
            if queues[language] and len(chosen) < count:
                chosen.append(queues[language].pop())
    return chosen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--per-scene", type=int, default=30)
    parser.add_argument("--work", type=Path, default=Path("build/sample-model"))
    parser.add_argument("--seed", type=int, default=23)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    corpus = Corpus(args.work / "speech", "heldout")
    manifest = []

    def keep(file: str, samples: np.ndarray, **facts) -> None:
        write_wav(args.out / file, samples)
        (args.out / file).with_suffix(".txt").write_text(facts["text"] + "\n", encoding="utf-8")
        manifest.append({"file": file, **facts, "seconds": round(len(samples) / SAMPLE_RATE, 3)})

    for place, scene in enumerate(SCENES):
        rng = np.random.default_rng(args.seed + place)
        for number, clip in enumerate(draw_clips(corpus, scene, args.per_scene, rng), 1):
            samples = render(corpus.samples(clip), scene, args.seed + 1000 * place + number)
            keep(
                f"{scene.name}_{number:03d}_{clip.language}.wav",
                samples,
                language=clip.language,
                levelDbfs=scene.level_dbfs,
                scene=scene.name,
                voice=clip.voice,
                text=clip.text,
            )
    rng = np.random.default_rng(args.seed + 100)
    for name, source in (("noise", any_noise), ("music", music)):
        for number in range(1, args.per_scene + 1):
            level_dbfs = round(rng.uniform(-70, -20), 1)
            samples = to_16_bit(source(int(rng.uniform(1, 12) * SAMPLE_RATE), rng) * 10 ** (level_dbfs / 20))
            keep(f"{name}_{number:03d}.wav", samples, language=None, levelDbfs=level_dbfs, scene=f"{name} only", voice=None, text="")
    keep("silence_001.wav", np.zeros(5 * SAMPLE_RATE), language=None, levelDbfs=None, scene="silence", voice=None, text="")
    (args.out / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{len(manifest)} clips in {args.out}")


if __name__ == "__main__":
    main()
