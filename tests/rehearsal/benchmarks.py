"""The benchmark of a rehearsal in the official format, and the same with one label fixed."""

import json
import random

from harness.benchmark import Benchmark
from harness.sources.importing import ImportSettings, import_files
from harness.sources.mini.schedule import TYPE_NAMES
from tests.baselines.conftest import ask, dialogue

HIDDEN = ("test",)


def small_samples(dialogues=36, videos=30):
    """Samples and META of a benchmark with two video turns and a moment turn a dialogue."""
    rng = random.Random(15)
    names = [f"{'AB'[number % 2]}/{number:02}.mp4" for number in range(videos)]
    samples = []
    for split in ("train", "val", "test"):
        for number in range(dialogues if split != "train" else 2):
            one, two = rng.sample(names, 2)
            lists = [[*rng.sample(names, 9), one] for _ in range(3)]
            samples.append(
                dialogue(
                    ask(f"clip {number} of {split}, the first", one, lists[0]),
                    ask(f"when is it in clip {number}", one, lists[1], span=(2, 5)),
                    ask(f"and another one than {number}", two, [*lists[2][1:], two]),
                    split=split,
                    code=1 + number % 3,
                )
            )
    meta = [
        {"video_id": name, "duration": 20.0, "text": {"title": f"clip {name[2:4]}"}}
        for name in names
    ]
    return samples, meta


def mini_samples():
    """Those of IVCR-Mini: everything but its pixels, which no step of a challenge reads."""
    from baselines.retrievers.bm25 import first_stage
    from harness.sources.mini import annotate
    from harness.sources.mini_benchmark import SEED

    made = annotate(SEED, first_stage)
    return made.samples, made.meta


def with_a_label_fixed(samples):
    """The samples with another gold video in the first turn of val; and the one it had."""
    fixed = json.loads(json.dumps(samples))
    for sample in fixed:
        answer = sample["conversations"][1]
        if sample["split"] == "val" and answer.get("candidate_videos"):
            wrong = answer["video_id"]
            answer["video_id"] = next(v for v in answer["candidate_videos"] if v != wrong)
            return fixed, wrong
    raise AssertionError("no turn to fix")


def imported(folder, samples, meta, name):
    """Import samples as the benchmark `folder`/`name`; labels of test are hidden."""
    file, videos = folder / f"{name}.json", folder / f"{name}.meta.json"
    file.write_text(json.dumps(samples), "utf-8")
    videos.write_text(json.dumps(meta), "utf-8")
    settings = ImportSettings("rehearsed", labels="hidden", hide=HIDDEN, type_names=TYPE_NAMES)
    import_files([file], folder / name, settings, videos=videos)
    return Benchmark(folder / name)
