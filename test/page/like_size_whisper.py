"""A Whisper of the sample model's size with random weights, for generation-loop.ts.

    python test/page/like_size_whisper.py FOLDER

As many layers, the same widths, mel bins and vocabulary as the sample model's. The encoder hands out the keys and
values of the decoder's cross-attention instead of its last states, so that no run of the decoder makes them again:
what a graph with a cache for them saves, without one. Needs torch, transformers, onnx, tokenizers.
"""

import json
import sys
from pathlib import Path

import onnx
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import nn
from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

WIDTH, LAYERS, HEADS, VOCABULARY, MEL_BINS = 128, 4, 4, 1280, 128
SPECIAL = [f"<|{name}|>" for name in ("endoftext", "startoftranscript", "en", "translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")]
ID = {token: VOCABULARY - len(SPECIAL) + place for place, token in enumerate(SPECIAL)}


def build() -> WhisperForConditionalGeneration:
    torch.manual_seed(7)
    end = ID["<|endoftext|>"]
    config = WhisperConfig(
        vocab_size=VOCABULARY, d_model=WIDTH, num_mel_bins=MEL_BINS, encoder_layers=LAYERS, decoder_layers=LAYERS,
        encoder_attention_heads=HEADS, decoder_attention_heads=HEADS, encoder_ffn_dim=4 * WIDTH, decoder_ffn_dim=4 * WIDTH,
        max_target_positions=448, pad_token_id=end, bos_token_id=end, eos_token_id=end,
        decoder_start_token_id=ID["<|startoftranscript|>"], suppress_tokens=None, begin_suppress_tokens=None,
    )
    model = WhisperForConditionalGeneration(config).eval()
    generation = model.generation_config
    generation.is_multilingual = True
    generation.lang_to_id = {"<|en|>": ID["<|en|>"]}
    generation.task_to_id = {"transcribe": ID["<|transcribe|>"], "translate": ID["<|translate|>"]}
    generation.no_timestamps_token_id = ID["<|notimestamps|>"]
    # Random weights know no end: they write until they are told to stop.
    generation.suppress_tokens = list(ID.values())
    generation.begin_suppress_tokens = None
    return model


def split(x):
    return x.view(x.shape[0], x.shape[1], HEADS, WIDTH // HEADS).transpose(1, 2)


class Encoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.encoder = model.model.encoder
        self.crossings = nn.ModuleList(layer.encoder_attn for layer in model.model.decoder.layers)

    def forward(self, input_features):
        heard = self.encoder(input_features).last_hidden_state
        return torch.cat([part for a in self.crossings for part in (a.k_proj(heard), a.v_proj(heard))], -1)


class Decoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.decoder, self.head = model.model.decoder, model.proj_out

    def attend(self, attention, q, k, v, mask=None):
        scores = q @ k.transpose(-1, -2) * attention.scaling
        if mask is not None:
            scores = scores.masked_fill(mask, -1e9)
        return attention.out_proj((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))

    def forward(self, input_ids, encoder_hidden_states, *past):
        length = past[0].shape[2]
        positions = torch.arange(input_ids.shape[1]) + length
        x = self.decoder.embed_tokens(input_ids) + self.decoder.embed_positions.weight[positions]
        heard = encoder_hidden_states.split(WIDTH, dim=-1)
        present = []
        for i, layer in enumerate(self.decoder.layers):
            y, a = layer.self_attn_layer_norm(x), layer.self_attn
            key = torch.cat([past[2 * i], split(a.k_proj(y))], 2)
            value = torch.cat([past[2 * i + 1], split(a.v_proj(y))], 2)
            present += [key, value]
            later = torch.arange(key.shape[2])[None, :] > positions[:, None]
            x = x + self.attend(a, split(a.q_proj(y)), key, value, later)
            y, a = layer.encoder_attn_layer_norm(x), layer.encoder_attn
            x = x + self.attend(a, split(a.q_proj(y)), split(heard[2 * i]), split(heard[2 * i + 1]))
            x = x + layer.fc2(nn.functional.gelu(layer.fc1(layer.final_layer_norm(x))))
        # As optimised exports do: the next word hangs on the last position alone.
        return (self.head(self.decoder.layer_norm(x[:, -1:])), *present)


def export(model, folder: Path) -> None:
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    past = [f"past_key_values.{i}.decoder.{kind}" for i in range(LAYERS) for kind in ("key", "value")]
    presents = [name.replace("past_key_values", "present") for name in past]
    torch.onnx.export(
        Encoder(model), (torch.zeros(1, MEL_BINS, 3000),), folder / "onnx/encoder_model.onnx", dynamo=False,
        input_names=["input_features"], output_names=["last_hidden_state"],
        dynamic_axes={"input_features": {0: "batch_size"}, "last_hidden_state": {0: "batch_size"}},
    )
    torch.onnx.export(
        Decoder(model),
        (torch.zeros(1, 4, dtype=torch.int64), torch.zeros(1, 1500, 2 * LAYERS * WIDTH), *[torch.zeros(1, HEADS, 3, WIDTH // HEADS)] * (2 * LAYERS)),
        folder / "onnx/decoder_model_merged.onnx", dynamo=False,
        input_names=["input_ids", "encoder_hidden_states", *past], output_names=["logits", *presents],
        dynamic_axes={
            "input_ids": {0: "batch_size", 1: "tokens"}, "encoder_hidden_states": {0: "batch_size"}, "logits": {0: "batch_size"},
            **{name: {0: "batch_size", 2: "past"} for name in past},
            **{name: {0: "batch_size", 2: "length"} for name in presents},
        },
    )
    for name in ("encoder_model", "decoder_model_merged"):
        onnx.checker.check_model(onnx.load(folder / f"onnx/{name}.onnx"))


def write_tokenizer(folder: Path) -> None:
    words = [f"Ġw{i}" for i in range(VOCABULARY - len(SPECIAL))]
    tokenizer = Tokenizer(models.BPE(vocab={word: i for i, word in enumerate(words)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    tokenizer.save(str(folder / "tokenizer.json"))
    end = "<|endoftext|>"
    facts = {"tokenizer_class": "WhisperTokenizer", "eos_token": end, "bos_token": end, "unk_token": end, "pad_token": end, "model_max_length": 448}
    (folder / "tokenizer_config.json").write_text(json.dumps(facts))


def main() -> None:
    folder = Path(sys.argv[1])
    model = build()
    export(model, folder)
    write_tokenizer(folder)
    model.config.save_pretrained(folder)
    model.generation_config.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(WhisperFeatureExtractor(feature_size=MEL_BINS).to_dict()))
    print(f"{sum(weight.numel() for weight in model.parameters()):,} weights")


if __name__ == "__main__":
    main()
