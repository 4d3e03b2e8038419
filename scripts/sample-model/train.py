"""Trains the sample model from nothing on the corpus that synthesize.py made.

    python train.py [--work build/sample-model] [--seed 7] [--resume]

Four phases, one after the other (see PHASES). Writes WORK/training/: log.jsonl with the
losses and the error rate on held-out voices, last.pt to resume from, best.pt for export.py.

Runs one process per core, each single-threaded, and averages their gradients: on a machine
that others use too this is far quicker than threads that wait for each other in every layer.
"""

import argparse
import copy
import json
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.distributed as distributed
import torch.multiprocessing as multiprocessing

from batches import Batches, Pads, loader, phoneme_inventory
from corpus import Clip, Corpus
from features import audio_rows, log_mel, padded_frames
from levels import gain_to, to_16_bit
from muon import Muon
from network import Prompts, Reader, new_model, read_windows
from scoring import character_error_rate
from windows import Reading, Recipe

PEAK_RATE = 2e-3
LAST_RATE = 4e-5
WARMUP_STEPS = 150
AVERAGE_DECAY = 0.998  # the exported weights are a running mean over about 500 steps
CHECK_EVERY_STEPS = 250


@dataclass
class Phase:
    name: str
    steps: int
    recipe: Recipe
    pads: Pads
    with_text: bool = True
    phoneme_weight: float = 0.3
    corrupt_share: float = 0.05


PHASES = [
    # The encoder learns to tell phonemes apart; nothing can be read before that.
    Phase("hear", 500, Recipe({"single": 0.9, "nothing": 0.04, "joined": 0.06}, hard=0.4, longest_seconds=8), Pads(7_000, 0.05, 0.0), False, 1.0),
    # The decoder learns to attend and to spell.
    Phase("read", 1600, Recipe({"single": 0.75, "prefix": 0.1, "suffix": 0.02, "joined": 0.05, "timeline": 0.03, "nothing": 0.05}, hard=0.7, longest_seconds=8), Pads(4_500, 0.15, 0.01)),
    # Everything the product asks for, in every condition.
    Phase("live", 700, Recipe({"single": 0.5, "prefix": 0.17, "suffix": 0.05, "joined": 0.09, "timeline": 0.12, "nothing": 0.07}, hard=1.0, longest_seconds=12), Pads(4_500, 0.25, 0.02)),
    # Windows as the runtime makes them: padded to 30 s, or full of utterances.
    Phase("long", 700, Recipe({"single": 0.46, "prefix": 0.16, "suffix": 0.04, "joined": 0.1, "timeline": 0.17, "nothing": 0.07}, hard=0.9, longest_seconds=29), Pads(6_000, 0.25, 0.25), True, 0.2, 0.02),
]
TOTAL_STEPS = sum(phase.steps for phase in PHASES)


def learning_rate(step: int) -> float:
    if step < WARMUP_STEPS:
        return PEAK_RATE * (step + 1) / WARMUP_STEPS
    share = (step - WARMUP_STEPS) / max(1, TOTAL_STEPS - WARMUP_STEPS)
    return LAST_RATE + (PEAK_RATE - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))


def optimizers(reader: Reader) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for all else."""
    matrices, others = [], []
    for name, parameter in reader.named_parameters():
        inner = parameter.ndim == 2 and "embed_tokens" not in name and "lm_head" not in name and "ctc_head" not in name
        (matrices if inner else others).append(parameter)
    return [
        Muon(matrices, lr=PEAK_RATE),
        torch.optim.AdamW(others, lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.01, fused=True),
    ]


class HeldoutCheck:
    """Reads a fixed sample of held-out clips at two levels, short pads, and gives the character error rate."""

    def __init__(self, speech_dir: Path, count: int = 96, seed: int = 5):
        corpus = Corpus(speech_dir, "heldout")
        rng = np.random.default_rng(seed)
        self._clips: list[tuple[Clip, np.ndarray]] = []
        for place in rng.choice(len(corpus.clips), count, replace=False):
            clip = corpus.clips[place]
            level_dbfs = -20.0 if rng.random() < 0.5 else -45.0
            speech = corpus.samples(clip) * gain_to(level_dbfs, clip.active_dbfs)
            padded = np.concatenate([np.zeros(3200), speech, np.zeros(4800)])
            self._clips.append((clip, to_16_bit(padded)))
        self._clips.sort(key=lambda item: len(item[1]))

    def __call__(self, reader: Reader) -> dict:
        reader.eval()
        by_language: dict[str, list[tuple[str, str]]] = {}
        for start in range(0, len(self._clips), 16):
            group = self._clips[start : start + 16]
            features = log_mel([samples for _, samples in group], padded_frames(len(group[-1][1])))
            readings = [(place, Reading(0, audio_rows(len(samples)), "")) for place, (_, samples) in enumerate(group)]
            for (clip, _), text in zip(group, read_windows(reader, features, readings, most_ids=40)):
                by_language.setdefault("whisper" if clip.whispered else clip.language, []).append((clip.text, text))
        reader.train()
        everything = [pair for pairs in by_language.values() for pair in pairs]
        rates = {name: round(100 * character_error_rate(pairs), 2) for name, pairs in sorted(by_language.items())}
        return {"cer": round(100 * character_error_rate(everything), 2), **rates, "examples": everything[:: len(everything) // 4][:4]}


class Training:
    def __init__(self, work: Path, seed: int, rank: int):
        torch.manual_seed(seed)  # the same in every process: all begin with equal weights and stay equal
        self.work, self.seed, self.rank, self.step, self.best = work, seed, rank, 0, math.inf
        self.directory = work / "training"
        self.directory.mkdir(parents=True, exist_ok=True)
        self.phoneme_ids = phoneme_inventory(work / "speech")
        prompts = Prompts(work / "skeleton")
        self.reader = Reader(new_model(prompts.tokenizer), prompts, len(self.phoneme_ids))
        self.average = copy.deepcopy(self.reader).requires_grad_(False)
        self.optimizers = optimizers(self.reader)
        self.check = HeldoutCheck(work / "speech")

    def resume(self) -> None:
        state = torch.load(self.directory / "last.pt", weights_only=False)
        self.reader.load_state_dict(state["reader"])
        self.average.load_state_dict(state["average"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"]):
            optimizer.load_state_dict(saved)
        self.step, self.best = state["step"], state["best"]

    def save(self) -> None:
        state = {
            "reader": self.reader.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step,
            "best": self.best,
        }
        torch.save(state, self.directory / "last.pt.new")
        (self.directory / "last.pt.new").replace(self.directory / "last.pt")

    def log(self, facts: dict) -> None:
        if self.rank:
            return
        line = json.dumps({"step": self.step, **facts}, ensure_ascii=False)
        print(line, flush=True)
        with (self.directory / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def run(self) -> None:
        first_step = 0
        for phase in PHASES:
            if self.step < first_step + phase.steps:
                self.run_phase(phase, first_step + phase.steps)
            first_step += phase.steps

    def run_phase(self, phase: Phase, end_step: int) -> None:
        self.log({"phase": phase.name})
        source = loader(Batches(self.work / "speech", self.phoneme_ids, phase.recipe, phase.pads, self.seed + 1000 + self.step + 100_000 * self.rank))
        self.reader.corrupt_share = phase.corrupt_share
        started, losses, seconds = time.time(), [], 0.0
        while self.step < end_step:
            batch = next(source)
            losses.append(self.learn(batch, phase))
            seconds += batch.features.shape[0] * batch.features.shape[2] / 100
            self.step += 1
            if self.step % 50 == 0:
                text_loss, phoneme_loss = np.mean(losses, axis=0)
                per_step = (time.time() - started) / len(losses)
                self.log({"text": round(float(text_loss), 4), "phoneme": round(float(phoneme_loss), 4), "rate": learning_rate(self.step), "s/step": round(per_step, 2), "heard_s": round(seconds)})
                started, losses, seconds = time.time(), [], 0.0
            if self.rank == 0 and (self.step % CHECK_EVERY_STEPS == 0 or self.step == end_step):
                self.take_stock(phase)

    def learn(self, batch, phase: Phase) -> tuple[float, float]:
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(self.step)
        text_loss, phoneme_loss = self.reader.losses(batch, phase.with_text)
        (text_loss + phase.phoneme_weight * phoneme_loss).backward()
        self.average_gradients(phase.with_text)
        torch.nn.utils.clip_grad_norm_(self.reader.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        decay = min(AVERAGE_DECAY, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, new in zip(self.average.parameters(), self.reader.parameters()):
                mean.lerp_(new, 1 - decay)
        return text_loss.item(), phoneme_loss.item()

    def average_gradients(self, with_text: bool) -> None:
        # A batch may lack one of the losses in one process only, so who is averaged depends on the phase alone.
        learning = [p for name, p in self.reader.named_parameters() if with_text or "audio_tower" in name or "ctc_head" in name]
        for parameter in learning:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [parameter.grad for parameter in learning]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= distributed.get_world_size()
        for gradient, mean in zip(gradients, flat.split([gradient.numel() for gradient in gradients])):
            gradient.copy_(mean.view_as(gradient))

    def take_stock(self, phase: Phase) -> None:
        if phase.with_text:
            result = self.check(self.average)
            self.log(result)
            # Only the last phase has seen 30 s windows, so only its weights are kept as best.
            score = result["cer"] + (0 if phase.name == PHASES[-1].name else 1000)
            if score <= self.best:
                self.best = score
                torch.save({"average": self.average.state_dict(), "step": self.step, "check": result}, self.directory / "best.pt")
        self.save()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("build/sample-model"))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--port", type=int, default=29511, help="for the processes to meet at, on this machine")
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    multiprocessing.spawn(train_in_process, args=(args,), nprocs=args.processes)


def train_in_process(rank: int, args: argparse.Namespace) -> None:
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(args.port)}
    distributed.init_process_group("gloo", rank=rank, world_size=args.processes)
    torch.set_num_threads(1)
    training = Training(args.work, args.seed, rank)
    if args.resume:
        training.resume()
    training.run()


if __name__ == "__main__":
    main()
