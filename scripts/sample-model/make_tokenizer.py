"""Learns the byte-level BPE tokenizer from the sentences and writes every small file of the checkpoint.

    python make_tokenizer.py [--work build/sample-model]

Layout as in the official checkpoint: ids 0-255 are the bytes in byte order, then the
merges, then the 17 special tokens in the official order, then one unused row.
Writes WORK/skeleton/: tokenizer, chat template, processor and generation settings.
"""

import argparse
import json
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from sentences import load_sentences

ROW_COUNT = 1280  # embedding rows, the unused one included
SPECIAL_TOKENS = (
    "<|endoftext|> [MASK] [gMASK] [sMASK] <sop> <eop> <|system|> <|user|> <|assistant|> <|observation|> "
    "<|begin_of_image|> <|end_of_image|> <|begin_of_video|> <|end_of_video|> <|pad|> <|begin_of_audio|> <|end_of_audio|>"
).split()
MERGE_COUNT = ROW_COUNT - 256 - len(SPECIAL_TOKENS) - 1
INSTRUCTION = "Please transcribe this audio into text"
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CHAT_TEMPLATE = """\
{%- for message in messages -%}
{{ '<|' + message['role'] + '|>\\n' }}
{%- if message['content'] is string -%}
{{ message['content'].strip() }}
{%- else -%}
{%- for item in message['content'] -%}
{%- if item is string -%}
{{ item }}
{%- elif item['type'] == 'audio' or 'audio' in item -%}
{{ '<|begin_of_audio|><|pad|><|end_of_audio|><|user|>\\n' }}
{%- elif item['type'] == 'text' -%}
{{ item['text'] }}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<|assistant|>\\n' }}
{%- endif -%}
"""


def byte_characters() -> list[str]:
    """The printable character that stands for each byte, in byte order."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(spare)) for byte in range(256)]


def learn_merges(texts: list[str]) -> list[tuple[str, str]]:
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizer()
    trainer = trainers.BpeTrainer(vocab_size=256 + MERGE_COUNT, initial_alphabet=byte_characters(), show_progress=False)
    learner.train_from_iterator(texts, trainer)
    merges = json.loads(learner.to_str())["model"]["merges"]
    assert len(merges) == MERGE_COUNT, f"only {len(merges)} merges to learn"
    return [tuple(merge) for merge in merges]


def pre_tokenizer():
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def build_tokenizer() -> Tokenizer:
    texts = [text for _, text in load_sentences()]
    # The instruction's words become single tokens, as they nearly are in the official vocabulary.
    merges = learn_merges(texts + [INSTRUCTION] * 60)
    vocabulary = {character: byte for byte, character in enumerate(byte_characters())}
    for first, second in merges:
        assert first + second not in vocabulary, "two merges make the same token"
        vocabulary[first + second] = len(vocabulary)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizer()
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS])
    return tokenizer


def write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def write_skeleton(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer = build_tokenizer()
    tokenizer.save(str(directory / "tokenizer.json"))
    (directory / "chat_template.jinja").write_text(CHAT_TEMPLATE, encoding="utf-8")
    write_json(
        directory / "tokenizer_config.json",
        {
            "backend": "tokenizers",
            "clean_up_tokenization_spaces": False,
            "do_lower_case": False,
            "eos_token": "<|endoftext|>",
            "extra_special_tokens": SPECIAL_TOKENS,
            "model_input_names": ["input_ids", "attention_mask"],
            "model_max_length": 65536,
            "pad_token": "<|endoftext|>",
            "padding_side": "left",
            "processor_class": "GlmAsrProcessor",
            "remove_space": False,
            "tokenizer_class": "TokenizersBackend",
        },
    )
    write_json(
        directory / "processor_config.json",
        {
            "audio_token": "<|pad|>",
            "default_transcription_prompt": INSTRUCTION,
            "feature_extractor": {
                "chunk_length": 30,
                "dither": 0.0,
                "feature_extractor_type": "WhisperFeatureExtractor",
                "feature_size": 128,
                "hop_length": 160,
                "n_fft": 400,
                "n_samples": 480000,
                "nb_max_frames": 3000,
                "padding_side": "right",
                "padding_value": 0.0,
                "return_attention_mask": False,
                "sampling_rate": 16000,
            },
            "max_audio_len": 655,
            "processor_class": "GlmAsrProcessor",
        },
    )
    stop_ids = [tokenizer.token_to_id(token) for token in ("<|endoftext|>", "<|user|>", "<|observation|>")]
    write_json(
        directory / "generation_config.json",
        {"do_sample": False, "eos_token_id": stop_ids, "pad_token_id": stop_ids[0]},
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("build/sample-model"))
    args = parser.parse_args()
    write_skeleton(args.work / "skeleton")


if __name__ == "__main__":
    main()
