"""Writes the trained weights as a checkpoint in the official on-disk layout, and loads it back.

    python export.py [--work build/sample-model] [--weights best.pt] [--out WORK/checkpoint] [--dtype bfloat16]
"""

import argparse
import shutil
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoProcessor, GlmAsrForConditionalGeneration

from make_tokenizer import INSTRUCTION, write_json
from network import Prompts, Reader, new_model, small_config

# In memory on the left, on disk on the right.
DISK_NAMES = (
    ("model.audio_tower.", "audio_tower."),
    ("model.multi_modal_projector.", "multi_modal_projector."),
    ("model.language_model.", "language_model.model."),
    ("lm_head.", "language_model.lm_head."),
)


def disk_name(name: str) -> str:
    for memory, disk in DISK_NAMES:
        if name.startswith(memory):
            return disk + name.removeprefix(memory)
    raise ValueError(f"no place on disk for {name}")


def trained_model(work: Path, weights: str) -> GlmAsrForConditionalGeneration:
    saved = torch.load(work / "training" / weights, weights_only=False)
    average = saved["average"]
    prompts = Prompts(work / "skeleton")
    reader = Reader(new_model(prompts.tokenizer), prompts, average["ctc_head.bias"].shape[0] - 1)
    reader.load_state_dict(average)
    return reader.model.eval()


def write_checkpoint(model: GlmAsrForConditionalGeneration, skeleton: Path, out: Path, dtype: torch.dtype) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for file in skeleton.iterdir():
        shutil.copy(file, out / file.name)
    # Like the official file, this one holds the head too, equal to the embedding bit for bit.
    tensors = {disk_name(name): tensor.to(dtype).contiguous().clone() for name, tensor in model.state_dict().items()}
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})
    (out / "model.safetensors").chmod(0o644)
    config = small_config(Prompts(skeleton).tokenizer)
    config |= {"dtype": str(dtype).removeprefix("torch."), "transformers_version": transformers.__version__}
    write_json(out / "config.json", config)


def check(model: GlmAsrForConditionalGeneration, out: Path, dtype: torch.dtype) -> None:
    loaded, report = GlmAsrForConditionalGeneration.from_pretrained(out, dtype=torch.float32, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"], report
    for name, tensor in loaded.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name].to(dtype).float()), name
    processor = AutoProcessor.from_pretrained(out)
    inputs = processor.apply_transcription_request(torch.zeros(16_000).numpy())
    prompts = Prompts(out)
    expected = [*prompts.prefix, *[loaded.config.audio_token_id] * 12, *prompts.suffix(INSTRUCTION)]
    assert inputs["input_ids"][0].tolist() == expected
    assert set(loaded.generation_config.eos_token_id) == prompts.stop_ids == set(loaded.config.text_config.eos_token_id)
    loaded.generate(**inputs, do_sample=False, max_new_tokens=4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("build/sample-model"))
    parser.add_argument("--weights", default="best.pt", help="a file in WORK/training")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--dtype", choices=["bfloat16", "float32"], default="bfloat16")
    args = parser.parse_args()
    out, dtype = args.out or args.work / "checkpoint", getattr(torch, args.dtype)
    model = trained_model(args.work, args.weights)
    write_checkpoint(model, args.work / "skeleton", out, dtype)
    check(model, out, dtype)
    unique = sum(parameter.numel() for parameter in model.parameters())
    print(f"{out}: {unique:,} parameters, {(out / 'model.safetensors').stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
