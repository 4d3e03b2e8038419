"""A Paraformer of one matrix, for the test of the Paraformer engine: loads like a real one, says nonsense.

    python scripts/goldens/tiny_paraformer.py

Writes test/fixtures/tiny-paraformer/. Made with onnx 1.23 and numpy 2.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OUT = Path(__file__).resolve().parents[2] / "test" / "fixtures" / "tiny-paraformer"
TOKENS = ["<blank>", "<s>", "</s>", "好", "的", "明", "天", "早"]
FEATURES = 560  # seven frames of 80 bands, six frames further each time


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    weight = (0.1 * rng.standard_normal((FEATURES, len(TOKENS)))).astype(np.float32)
    never = np.array([-1e3 if token.startswith("<") else 0 for token in TOKENS], np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["speech", "weight"], ["scores"]),
            helper.make_node("Add", ["scores", "never"], ["logits"]),
            helper.make_node("Identity", ["speech_lengths"], ["token_num"]),
        ],
        "tiny_paraformer",
        [
            helper.make_tensor_value_info("speech", TensorProto.FLOAT, ["N", "T", FEATURES]),
            helper.make_tensor_value_info("speech_lengths", TensorProto.INT32, ["N"]),
        ],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", "T", len(TOKENS)]),
            helper.make_tensor_value_info("token_num", TensorProto.INT32, ["N"]),
        ],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(never, "never")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    facts = {
        "model_type": "paraformer",
        "vocab_size": len(TOKENS),
        "lfr_window_size": 7,
        "lfr_window_shift": 6,
        "neg_mean": ",".join(["-8"] * FEATURES),
        "inv_stddev": ",".join(["0.3"] * FEATURES),
    }
    helper.set_model_props(model, {key: str(value) for key, value in facts.items()})
    onnx.save(model, OUT / "model.onnx")
    (OUT / "tokens.txt").write_text("".join(f"{token} {id}\n" for id, token in enumerate(TOKENS)), encoding="utf-8")


if __name__ == "__main__":
    main()
