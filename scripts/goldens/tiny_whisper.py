"""A Whisper of a few kilobytes with random weights, for the test of the Whisper engine.

    python scripts/goldens/tiny_whisper.py

Writes test/fixtures/tiny-whisper/: configuration, tokenizer, both graphs as @huggingface/transformers loads them,
and expected.json with what the reference says to the clips in test/fixtures/goldens. What it says is nonsense;
that both say the same is the point. Made with torch 2.15, transformers 5.23, onnx 1.23, tokenizers 0.22.
"""

import json
from pathlib import Path

import onnx
import soundfile
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import nn
from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

ROOT = Path(__file__).resolve().parents[2] / "test" / "fixtures"
OUT = ROOT / "tiny-whisper"
CASES = [("log-mel-english", "en"), ("log-mel-mandarin", "en"), ("log-mel-mandarin", "zh"), ("log-mel-whisper", "yue"), ("log-mel-whisper", "en")]
LETTERS = list("abcdefghijklmnopqrstuvwxyz'") + ["Ġ" + letter for letter in "abcdefghijklmnopqrstuvwxyz"]
SPECIAL = ["endoftext", "startoftranscript", "en", "zh", "yue", "translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
ID = {f"<|{name}|>": len(LETTERS) + place for place, name in enumerate(SPECIAL)}
NEW_TOKENS = 24


def tiny_model() -> WhisperForConditionalGeneration:
    torch.manual_seed(7)
    end = ID["<|endoftext|>"]
    config = WhisperConfig(
        vocab_size=len(LETTERS) + len(SPECIAL),
        d_model=16,
        num_mel_bins=80,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_target_positions=64,
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=ID["<|startoftranscript|>"],
        suppress_tokens=None,
        begin_suppress_tokens=None,
        tie_word_embeddings=False,  # a shared table would make every token call for itself again
    )
    model = WhisperForConditionalGeneration(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1 and "encoder.embed_positions" not in name:
                weight.normal_(0, 0.8 / weight.shape[-1] ** 0.5 if weight.dim() == 2 else 0.3)
        model.model.decoder.embed_tokens.weight.normal_(0, 1)
        model.model.decoder.embed_positions.weight.normal_(0, 0.5)
        model.proj_out.weight.normal_(0, 1)
        model.model.decoder.layers[0].encoder_attn.out_proj.weight.mul_(4)
    generation = model.generation_config
    generation.is_multilingual = True
    generation.lang_to_id = {token: ID[token] for token in ("<|en|>", "<|zh|>", "<|yue|>")}
    generation.task_to_id = {"transcribe": ID["<|transcribe|>"], "translate": ID["<|translate|>"]}
    generation.no_timestamps_token_id = ID["<|notimestamps|>"]
    generation.max_new_tokens = NEW_TOKENS
    generation.suppress_tokens = [id for token, id in ID.items() if token != "<|endoftext|>"]
    generation.begin_suppress_tokens = [ID["<|endoftext|>"]]
    return model


class Encoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.encoder = model.model.encoder

    def forward(self, input_features):
        return self.encoder(input_features).last_hidden_state


class Decoder(nn.Module):
    """One layer with its cache, written out so that all lengths stay open. The cross-attention is computed anew in every run."""

    def __init__(self, model):
        super().__init__()
        self.decoder, self.head = model.model.decoder, model.proj_out
        self.heads = model.config.decoder_attention_heads

    def split(self, x):
        return x.view(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)

    def attend(self, attention, q, k, v, mask=None):
        scores = q @ k.transpose(-1, -2) * attention.scaling
        if mask is not None:
            scores = scores.masked_fill(mask, -1e9)
        return attention.out_proj((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))

    def forward(self, input_ids, encoder_hidden_states, past_key, past_value):
        layer, past = self.decoder.layers[0], past_key.shape[2]
        positions = torch.arange(input_ids.shape[1]) + past
        x = self.decoder.embed_tokens(input_ids) + self.decoder.embed_positions.weight[positions]
        y, a = layer.self_attn_layer_norm(x), layer.self_attn
        key = torch.cat([past_key, self.split(a.k_proj(y))], 2)
        value = torch.cat([past_value, self.split(a.v_proj(y))], 2)
        later = torch.arange(key.shape[2])[None, :] > positions[:, None]
        x = x + self.attend(a, self.split(a.q_proj(y)), key, value, later)
        y, a = layer.encoder_attn_layer_norm(x), layer.encoder_attn
        heard = encoder_hidden_states
        x = x + self.attend(a, self.split(a.q_proj(y)), self.split(a.k_proj(heard)), self.split(a.v_proj(heard)))
        x = x + layer.fc2(nn.functional.gelu(layer.fc1(layer.final_layer_norm(x))))
        return self.head(self.decoder.layer_norm(x)), key, value


def export(model) -> None:
    (OUT / "onnx").mkdir(parents=True, exist_ok=True)
    encoder, decoder = OUT / "onnx/encoder_model.onnx", OUT / "onnx/decoder_model_merged.onnx"
    torch.onnx.export(
        Encoder(model),
        (torch.zeros(1, 80, 3000),),
        encoder,
        dynamo=False,
        input_names=["input_features"],
        output_names=["last_hidden_state"],
        dynamic_axes={"input_features": {0: "batch_size"}, "last_hidden_state": {0: "batch_size"}},
    )
    past = torch.zeros(1, 2, 3, 8)
    names = ["past_key_values.0.decoder.key", "past_key_values.0.decoder.value"]
    presents = [name.replace("past_key_values", "present") for name in names]
    torch.onnx.export(
        Decoder(model),
        (torch.zeros(1, 4, dtype=torch.int64), torch.zeros(1, 1500, 16), past, past),
        decoder,
        dynamo=False,
        input_names=["input_ids", "encoder_hidden_states", *names],
        output_names=["logits", *presents],
        dynamic_axes={
            "input_ids": {0: "batch_size", 1: "tokens"},
            "encoder_hidden_states": {0: "batch_size"},
            "logits": {0: "batch_size", 1: "tokens"},
            **{name: {0: "batch_size", 2: "past"} for name in names},
            **{name: {0: "batch_size", 2: "length"} for name in presents},
        },
    )
    for path in (encoder, decoder):
        graph = onnx.load(path)
        onnx.checker.check_model(graph)
        for node in graph.graph.node:
            node.ClearField("doc_string")  # lines of the machine that made it
        onnx.save(graph, path)


def write_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(vocab={letter: id for id, letter in enumerate(LETTERS)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in ID])
    tokenizer.save(str(OUT / "tokenizer.json"))
    facts = {"tokenizer_class": "WhisperTokenizer", "eos_token": "<|endoftext|>", "bos_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "pad_token": "<|endoftext|>", "model_max_length": 64}
    (OUT / "tokenizer_config.json").write_text(json.dumps(facts, indent=1) + "\n")
    return tokenizer


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    model = tiny_model()
    export(model)
    tokenizer = write_tokenizer()
    extractor = WhisperFeatureExtractor(feature_size=80)
    extractor.save_pretrained(OUT)
    model.config.save_pretrained(OUT)
    model.generation_config.save_pretrained(OUT)
    if not (OUT / "preprocessor_config.json").exists():
        (OUT / "preprocessor_config.json").write_text(json.dumps(extractor.to_dict(), indent=1) + "\n")
    expected = []
    for clip, language in CASES:
        samples, rate = soundfile.read(ROOT / "goldens" / f"{clip}.wav", dtype="float32")
        features = extractor(samples, sampling_rate=rate, return_tensors="pt").input_features
        start = torch.tensor([[ID["<|startoftranscript|>"], ID[f"<|{language}|>"], ID["<|transcribe|>"], ID["<|notimestamps|>"]]])
        ids = model.generate(features, decoder_input_ids=start, do_sample=False, num_beams=1)
        text = tokenizer.decode(ids[0].tolist(), skip_special_tokens=True).strip()
        expected.append({"clip": f"{clip}.wav", "language": language, "text": text})
    (OUT / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
