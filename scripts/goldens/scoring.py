"""Cases for src/eval/scoring, counted by jiwer.

    python scripts/goldens/scoring.py

Writes test/fixtures/goldens/scoring.json: texts as people and engines write them, their normalized form by an
implementation of its own (the five rules in src/eval/scoring/normalize.ts that need no table), and jiwer's
counts for characters, words and mixed units. Made with jiwer 4.0.0.
"""

import json
import random
import re
import unicodedata
from pathlib import Path

import jiwer

OUT = Path(__file__).parents[2] / "test" / "fixtures" / "goldens" / "scoring.json"

WRITTEN = [
    # English: case, punctuation, apostrophes, numbers
    ("And so my fellow Americans, ask not what your country can do for you.", "and so my fellow americans ask what your country can do for you"),
    ("What's the weather like?", "What’s the weather like"),
    ("Don't stop — it's 3.5 km to go!", "dont stop its 3 5 km to go"),
    ("It costs $1,000.50, at 9:30.", "It costs 1000.50 at 930"),
    ("fifteen men", "15 men"),
    ("ten of clubs", "ten of clubs"),
    ("seven of clubs", ""),
    ("", "thank you for watching"),
    ("", ""),
    ("a", "a a a a a a a a"),
    ("the the the the", "the"),
    ("turn left at the light", "turn right at a light now"),
    ("word-for-word copy", "word for word copy"),
    ("café naïve ﬁancé", "cafe naive fiancé"),
    ("  leading   and trailing  ", "leading and trailing"),
    ("“Quoted”, (bracketed) [text]…", "quoted bracketed text"),
    ("ＦＵＬＬ　ＷＩＤＴＨ　１２３", "full width 123"),
    ("a b c d e f g", "b c d e f g h"),
    ("a b", "b a"),
    ("one two three four", "four three two one"),
    # Chinese
    ("广州市房地产中介协会分析", "广州市房地产中介协会分析"),
    ("广州市房地产中介协会分析", "广州是房地产中介协会的分析"),
    ("我还能再搞一个，就算是非常小的声音也能识别准确", "我还能再搞一个就算是非常小的声音也能识别准确。"),
    ("近几年，不但我用书给女儿压岁，也劝说亲朋", "近几年不但我用书给女儿压岁也劝说亲戚朋友"),
    ("桥下垂直净空 15 米该项目于 2011 年 8 月完工", "桥下垂直净空15米，该项目于2011年8月完工。"),
    ("桥下垂直净空 15 米", "桥下垂直净空十五米"),
    ("明天早上", "明天早上明天早上明天早上"),
    ("谢谢", "謝謝"),
    # Cantonese
    ("當今天下嘅英雄，就係使君你，同我喇。", "当今天下嘅英雄就係使君你同我啦"),
    ("噉喺邊度㗎？佢哋冇嚟咩。", "咁喺邊度架佢哋冇嚟咩"),
    ("唔該將份報告傳畀我", "唔該將份報告傳俾我"),
    # mixed
    ("同埋我個friend其實啲方向感好過我好多", "同埋我個朋友其實啲方向感好過我好多"),
    ("打开 iPhone 的 Wi-Fi 设置", "打开iphone的wifi设置"),
    ("我用 Python 3.12 写 code", "我用python 3.12写代码"),
    ("今天 meeting 改到 3:30 pm", "今天meeting改到330pm"),
    ("カタカナとひらがな テスト", "カタカナとひらがなテスト"),
    ("OK 嗎", "ok吗"),
]

CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff\u3005\u3007]")


def normalized(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).replace("\U00020e0f", "嘅").replace("\U000210c9", "㗎").lower()
    text = re.sub("[’ʼ`´]", "'", text)
    out = []
    for at, character in enumerate(text):
        before, after = text[at - 1 : at] if at else "", text[at + 1 : at + 2]
        if unicodedata.category(character)[0] not in "PSC":
            out.append(character)
        elif character == "'" and before.isalpha() and after.isalpha():
            out.append(character)
        elif character in ".,:" and before.isdigit() and after.isdigit():
            out.append(character)
        else:
            out.append(" ")
    words = "".join(out).split()
    joined = ""
    for word in words:
        tight = not joined or CJK.match(joined[-1]) or CJK.match(word[0])
        joined += word if tight else " " + word
    return joined


def mixed(text: str) -> str:
    return " ".join(CJK.sub(lambda match: f" {match.group()} ", text).split())


def counts(output) -> list[int]:
    return [output.hits, output.substitutions, output.deletions, output.insertions]


def made_up(rng: random.Random) -> tuple[str, str]:
    """A random text and a damaged copy: many equal units, so that there are many ways of the same cost."""
    alphabet = rng.choice([list("ab"), ["a", "b", "c", "好", "的"], ["on", "off", "the", "light"], list("明天早上好")])
    reference = [rng.choice(alphabet) for _ in range(rng.randint(0, 14))]
    hypothesis = []
    for unit in reference:
        kind = rng.random()
        if kind < 0.6:
            hypothesis.append(unit)
        elif kind < 0.75:
            hypothesis.append(rng.choice(alphabet))
        elif kind < 0.85:
            hypothesis += [unit, rng.choice(alphabet)]
    return " ".join(reference), " ".join(hypothesis)


def main() -> None:
    rng = random.Random(20251122)
    cases = []
    for said, read in WRITTEN + [made_up(rng) for _ in range(160)]:
        reference, hypothesis = normalized(said), normalized(read)
        cases.append(
            {
                "said": said,
                "read": read,
                "reference": reference,
                "hypothesis": hypothesis,
                "characters": counts(jiwer.process_characters(reference, hypothesis)),
                "words": counts(jiwer.process_words(reference, hypothesis)),
                "mixed": counts(jiwer.process_words(mixed(reference), mixed(hypothesis))),
            }
        )
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
