"""The sentence list: everything the sample model knows.

One sentence per line in sentences/<language>.txt, without final punctuation.
"""

from pathlib import Path

LANGUAGES = ("en", "zh", "yue")
SENTENCE_DIR = Path(__file__).parent / "sentences"
REQUIRED = ("明天早上别忘了开会", "那个文件你放在哪个文件夹了，记得备份一下")


def load_sentences() -> list[tuple[str, str]]:
    """All (language, text) pairs, in file order; a sentence's index is its place here."""
    pairs = []
    for language in LANGUAGES:
        lines = (SENTENCE_DIR / f"{language}.txt").read_text(encoding="utf-8").splitlines()
        pairs += [(language, line) for line in lines if line]
    texts = [text for _, text in pairs]
    assert len(set(texts)) == len(texts), "a sentence is listed twice"
    assert all(text in texts for text in REQUIRED)
    assert not any(text[-1] in ".。!！?？,，" for text in texts), "sentences carry no final punctuation"
    return pairs
