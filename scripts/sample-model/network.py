"""The model itself: the reference's GlmAsrForConditionalGeneration with a small configuration.

`Reader` wraps it for training: several readings per window, each from its own audio
rows, and a CTC head on the encoder that listens for phonemes. The head is only a
teaching aid; it makes attention align much sooner and is dropped at export.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import GlmAsrConfig, GlmAsrForConditionalGeneration

from make_tokenizer import ROW_COUNT
from windows import Reading

STACKED_FRAMES = 4
CTC_BLANK = 0


def small_config(tokenizer: Tokenizer) -> dict:
    """config.json, with the official file's keys; only sizes and ids differ."""
    stop_ids = [tokenizer.token_to_id(token) for token in ("<|endoftext|>", "<|user|>", "<|observation|>")]
    return {
        "architectures": ["GlmAsrForConditionalGeneration"],
        "model_type": "glmasr",
        "audio_config": {
            "model_type": "glmasr_encoder",
            "hidden_size": 128,
            "intermediate_size": 512,  # must be 4 × hidden: the projector takes four stacked frames
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "head_dim": 32,
            "num_mel_bins": 128,
            "max_position_embeddings": 1500,
            "hidden_act": "gelu",
            "attention_dropout": 0.0,
            "initializer_range": 0.02,
            "partial_rotary_factor": 0.5,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5},
        },
        "text_config": {
            "model_type": "llama",
            "hidden_size": 128,
            "intermediate_size": 384,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 32,
            "rms_norm_eps": 1e-5,
            "max_position_embeddings": 2048,
            "vocab_size": ROW_COUNT,
            "eos_token_id": stop_ids,
            "attention_bias": False,
            "mlp_bias": False,
            "attention_dropout": 0.0,
            "hidden_act": "silu",
            "use_cache": True,
            "pretraining_tp": 1,
            "initializer_range": 0.02,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
        },
        "audio_token_id": tokenizer.token_to_id("<|pad|>"),
        "projector_hidden_act": "gelu",
        "hidden_size": 128,
        "vocab_size": ROW_COUNT,
    }


class Prompts:
    """Prompt and target ids, exactly as the processor renders them."""

    def __init__(self, skeleton: Path):
        self.tokenizer = Tokenizer.from_file(str(skeleton / "tokenizer.json"))
        ids = self.tokenizer.token_to_id
        self.prefix = [ids("<|user|>"), 10, ids("<|begin_of_audio|>")]
        self._end_of_audio, self._user, self._assistant = ids("<|end_of_audio|>"), ids("<|user|>"), ids("<|assistant|>")
        self.end_id = ids("<|user|>")
        self.stop_ids = {ids("<|endoftext|>"), ids("<|user|>"), ids("<|observation|>")}

    def suffix(self, instruction: str) -> list[int]:
        return [self._end_of_audio, self._user, 10, *self.encode(instruction), self._assistant, 10]

    def encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def decode(self, ids: list[int]) -> str:
        return self.tokenizer.decode(ids, skip_special_tokens=True).strip()


@dataclass
class Batch:
    features: torch.Tensor  # [windows, 128, frames]
    readings: list[tuple[int, Reading]]  # window index, what to read there
    phonemes: list[list[int] | None]  # per window


class Reader(nn.Module):
    def __init__(self, model: GlmAsrForConditionalGeneration, prompts: Prompts, phoneme_count: int):
        super().__init__()
        self.model, self.prompts = model, prompts
        self.ctc_head = nn.Linear(model.config.audio_config.hidden_size, phoneme_count + 1)
        self.corrupt_share = 0.0  # of text ids the decoder is shown wrongly, so that it keeps listening

    def hear(self, features: torch.Tensor) -> torch.Tensor:
        return self.model.model.audio_tower(features).last_hidden_state  # [windows, frames / 2, hidden]

    def losses(self, batch: Batch, with_text: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
        """(text, phoneme) loss, each a mean per predicted symbol."""
        hidden = self.hear(batch.features)
        phoneme_loss = self._phoneme_loss(hidden, batch.phonemes)
        text_loss = self._text_loss(hidden, batch.readings) if with_text else torch.zeros(())
        return text_loss, phoneme_loss

    def _phoneme_loss(self, hidden: torch.Tensor, phonemes: list[list[int] | None]) -> torch.Tensor:
        known = [row for row, ids in enumerate(phonemes) if ids is not None]
        if not known:
            return torch.zeros(())
        log_probs = self.ctc_head(hidden[known]).log_softmax(-1).transpose(0, 1)
        targets = [torch.tensor(phonemes[row], dtype=torch.long) for row in known]
        lengths = torch.tensor([len(target) for target in targets])
        input_lengths = torch.full((len(known),), hidden.shape[1])
        losses = nn.functional.ctc_loss(
            log_probs, torch.cat(targets), input_lengths, lengths, blank=CTC_BLANK, reduction="none", zero_infinity=True
        )
        return losses.sum() / (lengths.sum() + len(known))

    def _text_loss(self, hidden: torch.Tensor, readings: list[tuple[int, Reading]]) -> torch.Tensor:
        windows, frames, width = hidden.shape
        rows = hidden.reshape(windows * frames // STACKED_FRAMES, width * STACKED_FRAMES)
        rows_per_window = frames // STACKED_FRAMES
        sequences, row_indices, row_places, predicted, targets = [], [], [], [], []
        for window, reading in readings:
            target = [*self.prompts.encode(reading.text), self.prompts.end_id]
            row_count = reading.end_row - reading.start_row
            prompt = [*self.prompts.prefix, *[0] * row_count, *self.prompts.suffix(reading.instruction)]
            place = len(sequences)
            row_indices += range(window * rows_per_window + reading.start_row, window * rows_per_window + reading.end_row)
            row_places += [(place, len(self.prompts.prefix) + row) for row in range(row_count)]
            predicted += [(place, len(prompt) - 1 + position) for position in range(len(target))]
            targets += target
            sequences.append(prompt + self._corrupted(target[:-1]))
        longest = max(map(len, sequences))
        ids = torch.tensor([sequence + [0] * (longest - len(sequence)) for sequence in sequences])
        embeds = self.model.get_input_embeddings()(ids)
        audio = self.model.model.multi_modal_projector(rows[torch.tensor(row_indices)])
        places = torch.tensor(row_places)
        embeds = embeds.index_put((places[:, 0], places[:, 1]), audio)
        # Padding is on the right and attention is causal, so no mask is needed.
        output = self.model.model.language_model(inputs_embeds=embeds, use_cache=False).last_hidden_state
        chosen = torch.tensor(predicted)
        logits = self.model.lm_head(output[chosen[:, 0], chosen[:, 1]])
        return nn.functional.cross_entropy(logits, torch.tensor(targets))

    def _corrupted(self, ids: list[int]) -> list[int]:
        if self.corrupt_share <= 0:
            return ids
        wrong = torch.rand(len(ids)) < self.corrupt_share
        return [int(torch.randint(0, ROW_COUNT, ())) if wrong[place] else token for place, token in enumerate(ids)]


def new_model(tokenizer: Tokenizer) -> GlmAsrForConditionalGeneration:
    model = GlmAsrForConditionalGeneration(GlmAsrConfig(**small_config(tokenizer)))
    model.config._attn_implementation = "sdpa"
    return model


@torch.no_grad()
def read_windows(reader: Reader, features: torch.Tensor, readings: list[tuple[int, Reading]], most_ids: int = 120) -> list[str]:
    """Greedy reading of many rows at once, without a cache: for checks while training."""
    hidden = reader.hear(features)
    windows, frames, width = hidden.shape
    rows = reader.model.model.multi_modal_projector(hidden.reshape(windows, frames // STACKED_FRAMES, width * STACKED_FRAMES))
    embed = reader.model.get_input_embeddings()
    texts = []
    for window, reading in readings:
        prompts = reader.prompts
        embeds = torch.cat(
            [
                embed(torch.tensor(prompts.prefix)),
                rows[window, reading.start_row : reading.end_row],
                embed(torch.tensor(prompts.suffix(reading.instruction))),
            ]
        )[None]
        ids, cache = [], None
        while len(ids) < most_ids:
            output = reader.model.model.language_model(inputs_embeds=embeds, past_key_values=cache, use_cache=True)
            cache = output.past_key_values
            best = int(reader.model.lm_head(output.last_hidden_state[0, -1]).argmax())
            if best in prompts.stop_ids:
                break
            ids.append(best)
            embeds = embed(torch.tensor([[best]]))
        texts.append(prompts.decode(ids))
    return texts
