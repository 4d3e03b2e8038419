#!/usr/bin/env bash
# Makes the sample model from nothing: corpus, tokenizer, training, checkpoint, report, shipped clips.
#
#   scripts/sample-model/train.sh [WORK_DIR]      default build/sample-model, about 3 GB
#
# Needs espeak-ng 1.51, flite 2.2 and a Python with requirements.txt installed (PYTHON=...).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=${1:-build/sample-model}
python=${PYTHON:-python3}

"$python" "$here/synthesize.py" --work "$work"
"$python" "$here/make_tokenizer.py" --work "$work"
"$python" "$here/train.py" --work "$work"
"$python" "$here/export.py" --work "$work"
"$python" "$here/evaluate.py" "$work/checkpoint" --work "$work" --out "$work/results.json"
"$python" "$here/make_clips.py" --work "$work"
"$python" "$here/make_heldout.py" "$work/heldout-set" --work "$work"
