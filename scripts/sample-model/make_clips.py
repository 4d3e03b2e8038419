"""Makes the clips that ship with the page, by voices the model has never heard.

    python make_clips.py [OUT_DIR] [--work build/sample-model]

Writes WAV files, the text beside each, and clips.json. Nothing is drawn at random but
what the seed below fixes.
"""

import argparse
import json
import pickle
import tempfile
from dataclasses import dataclass
from multiprocessing import Process
from pathlib import Path

import numpy as np

from scenes import Scene, render
from speak import Espeak, flite_say, system_data_dir
from voices import spoken_form, write_variants
from wav_files import write_wav

SEED = 31


@dataclass(frozen=True)
class ClipPlan:
    file: str
    language: str
    voice: str
    scene: Scene
    text: str
    words_per_minute: int = 165
    stretch: float = 1.0  # flite's way to set the speed


CLEAN = Scene("clean", -20)
PLANS = (
    ClipPlan("en_close-the-door.wav", "en", "espeak/en-us+f3", CLEAN, "Close the door"),
    ClipPlan("en_meeting-on-thursday.wav", "en", "espeak/en-gb-x-gbcwmd+m3", CLEAN, "The meeting is moved to Thursday afternoon"),
    ClipPlan("en_thank-you.wav", "en", "flite/rms", CLEAN, "Thank you", stretch=0.8),
    ClipPlan("en_i-whisper.wav", "en", "espeak/en+whisperf", Scene("whisper", -45, noise_below_db=28), "I whisper because everybody is sleeping"),
    ClipPlan("en_call-me-back.wav", "en", "espeak/en-us+michael", Scene("old phone", -36, phone=True, noise_below_db=25), "Call me back when you have time"),
    ClipPlan("zh_meeting-tomorrow.wav", "zh", "espeak/cmn-latn-pinyin+linda", CLEAN, "明天早上别忘了开会"),
    ClipPlan("zh_which-folder.wav", "zh", "espeak/cmn-latn-pinyin+f3", Scene("quiet", -45), "那个文件你放在哪个文件夹了，记得备份一下"),
    ClipPlan("zh_speak-softly.wav", "zh", "espeak/cmn-latn-pinyin+smw7", Scene("whisper", -40, noise_below_db=28), "大家都在睡觉，我只能小声说话"),
    ClipPlan("yue_meeting-tomorrow.wav", "yue", "espeak/yue+Andy", CLEAN, "聽日朝早唔好唔記得開會"),
    ClipPlan("yue_a-bit-quieter.wav", "yue", "espeak/yue+sm22", Scene("music", -30, music_below_db=12), "唔該細聲啲"),
)


def speak(plan: ClipPlan, data_dir: Path, path: str) -> None:
    engine, voice = plan.voice.split("/")
    if engine == "flite":
        samples = flite_say(voice, plan.text, plan.stretch)
    else:
        samples = Espeak(data_dir).say(voice, spoken_form(plan.language, plan.text), plan.words_per_minute).samples
    Path(path).write_bytes(pickle.dumps(samples))


def spoken(plan: ClipPlan, data_dir: Path) -> np.ndarray:
    """In a process of its own, since the engine carries state from one sentence to the next."""
    with tempfile.NamedTemporaryFile() as file:
        process = Process(target=speak, args=(plan, data_dir, file.name))
        process.start()
        process.join()
        assert process.exitcode == 0, f"the engine crashed on {plan}"
        return pickle.loads(Path(file.name).read_bytes()).astype(np.float32) / 32768


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, nargs="?", default=Path(__file__).parents[2] / "public" / "clips")
    parser.add_argument("--work", type=Path, default=Path("build/sample-model"))
    args = parser.parse_args()
    data_dir = args.work / "espeak-ng-data"
    args.work.mkdir(parents=True, exist_ok=True)
    write_variants(system_data_dir(), data_dir)
    args.out.mkdir(parents=True, exist_ok=True)
    entries, total_bytes = [], 0
    for number, plan in enumerate(PLANS):
        short = plan.file == "en_thank-you.wav"
        lead_seconds, trail_seconds = (0.05, 0.1) if short else (0.25, 0.35)
        samples = render(spoken(plan, data_dir), plan.scene, SEED + number, lead_seconds, trail_seconds)
        write_wav(args.out / plan.file, samples)
        (args.out / plan.file).with_suffix(".txt").write_text(plan.text + "\n", encoding="utf-8")
        total_bytes += (args.out / plan.file).stat().st_size
        entries.append(
            {
                "file": plan.file,
                "language": plan.language,
                "voice": plan.voice,
                "levelDbfs": plan.scene.level_dbfs,
                "scene": plan.scene.name,
                "text": plan.text,
            }
        )
        print(f"{plan.file}: {len(samples) / 16000:.2f} s")
    (args.out / "clips.json").write_text(json.dumps(entries, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print(f"{total_bytes / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
