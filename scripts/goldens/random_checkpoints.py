"""Goldens of checkpoints in odd shapes, computed by the reference implementation.

    python scripts/goldens/random_checkpoints.py [--clips DIR]

Writes test/fixtures/goldens/random-checkpoints.json: for each of the configs below what the reference library
(transformers, GlmAsrForConditionalGeneration, float32, eager attention) says about weights that a formula gives
(seeded_weights.py). The tests build the same weights, convert them and compare.

With --clips, a folder of recordings: also the greedy ids on some of them, through the whole reference pipeline
(feature extractor, padding to 30 s), for the test of `transcribe --exact`.

Greedy choices with a margin below MARGIN are refused, so that no golden hangs on rounding: change the seed then.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import GlmAsrConfig, GlmAsrForConditionalGeneration, WhisperFeatureExtractor

import seeded_weights

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "test/fixtures/goldens/random-checkpoints.json"
MARGIN = 1e-3
FRAMES = 400
NEW_TOKENS = 12
SPECIAL_TOKENS = 17  # after the last ordinary id, in the official order
INSTRUCTION = "Please transcribe this audio into text"
CLIPS = ["en/jfk_16k.wav", "en/glm_example_en.wav", "zh/glm_example_zh.wav"]


def audio(hidden, layers, heads, kv_heads, head_dim, mel, partial, theta=10000.0, positions=1500):
    return {
        "model_type": "glmasr_encoder", "hidden_size": hidden, "num_hidden_layers": layers,
        "num_attention_heads": heads, "num_key_value_heads": kv_heads, "head_dim": head_dim,
        "intermediate_size": 4 * hidden, "num_mel_bins": mel, "max_position_embeddings": positions,
        "hidden_act": "gelu", "attention_dropout": 0.0, "initializer_range": 0.02,
        "rope_parameters": {"rope_type": "default", "rope_theta": theta, "partial_rotary_factor": partial},
    }


def text(hidden, layers, heads, kv_heads, head_dim, intermediate, vocab, theta=10000.0, eps=1e-5, bias=False, mlp_bias=False):
    first = vocab - SPECIAL_TOKENS
    return {
        "model_type": "llama", "hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads,
        "num_key_value_heads": kv_heads, "head_dim": head_dim, "intermediate_size": intermediate, "vocab_size": vocab,
        "max_position_embeddings": 512, "hidden_act": "silu", "rms_norm_eps": eps, "attention_bias": bias,
        "mlp_bias": mlp_bias, "attention_dropout": 0.0, "pretraining_tp": 1, "use_cache": True,
        "eos_token_id": [first, first + 7, first + 9],
        "rope_parameters": {"rope_type": "default", "rope_theta": theta},
    }


# storage: how tensors are stored, in turn of their sorted names. head: stored as a copy, left out, or its own.
CASES = [
    {"name": "odd heads, nothing a multiple of 32", "seed": 1, "storage": ["F32"], "head": "copy", "parts": 1,
     "audio": audio(36, 1, 3, 3, 10, 128, 0.5), "text": text(40, 3, 5, 1, 10, 72, 301)},
    {"name": "key and value heads shared in the encoder, biases in the decoder, sharded bf16", "seed": 2,
     "storage": ["BF16"], "head": "separate", "parts": 3,
     "audio": audio(64, 3, 4, 2, 16, 128, 0.5), "text": text(48, 1, 4, 4, 12, 80, 515, bias=True, mlp_bias=True)},
    {"name": "no head stored, 80 mel bins, mixed storage", "seed": 3, "storage": ["BF16", "F32", "F16"],
     "head": "same", "parts": 1,
     "audio": audio(96, 2, 2, 2, 24, 80, 1.0, theta=5000.0), "text": text(96, 2, 3, 3, 24, 96, 290, theta=500000.0, eps=1e-6)},
    {"name": "one wide head, half precision, head of its own", "seed": 4, "storage": ["F16"], "head": "separate", "parts": 1,
     "audio": audio(32, 2, 1, 1, 64, 128, 0.5), "text": text(64, 2, 1, 1, 80, 200, 333)},
    {"name": "official proportions, sharded, head as a copy", "seed": 5, "storage": ["BF16"], "head": "copy", "parts": 2,
     "audio": audio(64, 2, 1, 1, 64, 128, 0.5), "text": text(128, 2, 4, 1, 32, 384, 600)},
    {"name": "heads narrower than the width, a tiny rotary part", "seed": 6, "storage": ["F32"], "head": "same", "parts": 1,
     "audio": audio(40, 3, 2, 1, 6, 40, 0.5), "text": text(54, 3, 6, 2, 6, 100, 273)},
]


def disk_name(name: str) -> str:
    """The name in the file for a name in the module tree of transformers 5."""
    if name == "lm_head.weight":
        return "language_model.lm_head.weight"
    inner = name.removeprefix("model.")
    if inner.startswith("language_model."):
        return "language_model.model." + inner.removeprefix("language_model.")
    return inner


def build(case) -> GlmAsrForConditionalGeneration:
    vocab = case["text"]["vocab_size"]
    config = GlmAsrConfig(audio_config=case["audio"], text_config=case["text"],
                          audio_token_id=vocab - SPECIAL_TOKENS + 14, projector_hidden_act="gelu",
                          tie_word_embeddings=False)
    config._attn_implementation = "eager"
    model = GlmAsrForConditionalGeneration(config).eval()
    state = model.state_dict()
    shapes = {disk_name(name): tuple(tensor.shape) for name, tensor in state.items()}
    head, table = "language_model.lm_head.weight", "language_model.model.embed_tokens.weight"
    if case["head"] == "same":
        del shapes[head]
    weights = seeded_weights.tensors(shapes, case["seed"])
    if case["head"] == "copy":
        weights[head] = weights[table]
    kinds = case["storage"]
    stored = {name: seeded_weights.stored(weights[name], kinds[i % len(kinds)])
              for i, name in enumerate(sorted(weights))}
    if case["head"] != "separate":
        stored[head] = stored[table]
    model.load_state_dict({name: torch.from_numpy(stored[disk_name(name)].copy()) for name in state})
    return model


def prompt(vocab: int, rows: int) -> list[int]:
    first = vocab - SPECIAL_TOKENS
    user, assistant, pad, begin, end = first + 7, first + 8, first + 14, first + 15, first + 16
    return [user, 10, begin, *[pad] * rows, end, user, 10, *INSTRUCTION.encode(), assistant, 10]


def audio_rows(frames: int) -> int:
    return ((frames + 1) // 2) // 4


def greedy(model, ids, features, mask, stop: bool):
    """Greedy ids without the stop id, the smallest margin seen, and the prompt's last logits."""
    out, margins, first, past = [], [], None, None
    feeds = {"input_ids": torch.tensor([ids]), "input_features": features, "input_features_mask": mask}
    with torch.no_grad():
        for _ in range(NEW_TOKENS):
            result = model(**feeds, past_key_values=past, use_cache=True)
            logits, past = result.logits[0, -1], result.past_key_values
            first = logits if first is None else first
            top = torch.topk(logits, 2)
            margins.append(float(top.values[0] - top.values[1]))
            token = int(top.indices[0])
            if stop and token in model.config.text_config.eos_token_id:
                break
            out.append(token)
            feeds = {"input_ids": torch.tensor([[token]])}
    return out, min(margins), first


def rounded(tensor, digits=6) -> list[float]:
    return [round(float(x), digits) for x in tensor.flatten()]


def golden(case, clips: Path | None) -> dict:
    model = build(case)
    vocab, mel = case["text"]["vocab_size"], case["audio"]["num_mel_bins"]
    features = torch.from_numpy(seeded_weights.features(FRAMES, mel))[None]
    mask = torch.ones(1, FRAMES, dtype=torch.int32)
    rows = audio_rows(FRAMES)
    with torch.no_grad():
        states = model.model.audio_tower(features).last_hidden_state[0]
        embeds = model.model.get_audio_features(features, mask, return_dict=True).pooler_output
    ids = prompt(vocab, rows)
    out, margin, logits = greedy(model, ids, features, mask, stop=False)
    assert margin > MARGIN, f"{case['name']}: margin {margin}; change the seed"
    result = {
        **case,
        "frames": FRAMES, "prompt": ids[:3] + ids[3 + rows:], "audioRows": rows,
        "states": {"first": rounded(states[0, :6]), "last": rounded(states[-1, -6:]), "std": round(float(states.std(correction=0)), 6)},
        "embeds": {"first": rounded(embeds[0, :6]), "last": rounded(embeds[-1, -6:]), "std": round(float(embeds.std(correction=0)), 6)},
        "logits": rounded(logits, 5), "greedy": out, "margin": round(margin, 5),
    }
    if clips is not None:
        result["clips"] = {name: clip_ids(model, vocab, mel, clips / name) for name in CLIPS}
    return result


def clip_ids(model, vocab: int, mel: int, path: Path) -> dict:
    import soundfile

    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == 16000 and samples.ndim == 1, path
    extractor = WhisperFeatureExtractor(feature_size=mel)
    batch = extractor(samples, sampling_rate=rate, return_tensors="pt", return_attention_mask=True, padding="max_length")
    rows = audio_rows(int(batch["attention_mask"].sum()))
    ids, margin, _ = greedy(model, prompt(vocab, rows), batch["input_features"], batch["attention_mask"], stop=True)
    return {"ids": ids, "margin": round(margin, 6)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path)
    clips = parser.parse_args().clips
    torch.manual_seed(0)
    torch.set_num_threads(1)
    versions = {"transformers": transformers.__version__, "torch": torch.__version__, "numpy": np.__version__}
    cases = [golden(case, clips) for case in CASES]
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"made by": "scripts/goldens/random_checkpoints.py", "versions": versions, "cases": cases}) + "\n")
    for case in cases:
        print(case["name"], case["greedy"], case["margin"], case.get("clips", ""))


if __name__ == "__main__":
    main()
