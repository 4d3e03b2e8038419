"""Character error rate, after dropping case, punctuation and spaces in Chinese."""

import re
import unicodedata


def normalized(text: str) -> str:
    text = "".join(" " if unicodedata.category(character)[0] in "PS" else character for character in text.lower())
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])", "", text)


def edits(reference: str, hypothesis: str) -> int:
    """Levenshtein distance in characters."""
    row = list(range(len(hypothesis) + 1))
    for i, expected in enumerate(reference, 1):
        diagonal, row[0] = row[0], i
        for j, actual in enumerate(hypothesis, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (expected != actual))
    return row[-1]


def character_error_rate(pairs: list[tuple[str, str]]) -> float:
    """Edits over reference characters, both summed over all (reference, hypothesis) pairs."""
    wrong = sum(edits(normalized(reference), normalized(hypothesis)) for reference, hypothesis in pairs)
    return wrong / max(1, sum(len(normalized(reference)) for reference, _ in pairs))
