"""What the reference library computes from a checkpoint folder, for compare.ts beside this file.

    python scripts/full-width/reference.py CHECKPOINT WORK

Reads WORK/features.f32 [mel bins, frames], WORK/prompt.json {"ids", "frames"} and writes WORK/states.f32 (encoder,
behind its last norm), WORK/embeds.f32 (behind the projector) and WORK/logits.f32 (of the prompt's last position),
all float32, computed in float32 with eager attention.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from transformers import GlmAsrForConditionalGeneration


def main() -> None:
    checkpoint, work = Path(sys.argv[1]), Path(sys.argv[2])
    torch.set_num_threads(2)
    model = GlmAsrForConditionalGeneration.from_pretrained(checkpoint, dtype=torch.float32, attn_implementation="eager").eval()
    mel = model.config.audio_config.num_mel_bins
    features = torch.from_numpy(np.fromfile(work / "features.f32", np.float32).reshape(1, mel, -1))
    prompt = json.loads((work / "prompt.json").read_text())
    mask = torch.zeros(1, features.shape[-1], dtype=torch.int32)
    mask[0, : prompt["frames"]] = 1
    with torch.no_grad():
        states = model.model.audio_tower(features).last_hidden_state[0]
        embeds = model.model.get_audio_features(features, mask, return_dict=True).pooler_output
        logits = model(input_ids=torch.tensor([prompt["ids"]]), input_features=features, input_features_mask=mask).logits[0, -1]
    for name, tensor in {"states": states, "embeds": embeds, "logits": logits}.items():
        tensor.numpy().astype(np.float32).tofile(work / f"{name}.f32")


if __name__ == "__main__":
    main()
