"""How to make ready what a baseline cannot run without: a checkpoint, tiny and of its true form.

READY maps a baseline's name to a function of a folder (that is not there yet) and the filmed toy
benchmark, which gives the `--set` assignments, or for a baseline that is made of others the path of
a configuration file. A baseline that runs without any needs no row; one that needs a checkpoint and
has no row fails the tests over the whole catalogue.
"""

import json
from functools import partial
from pathlib import Path

from baselines.base import TrainerConfig
from baselines.registry import find
from baselines.running.config_file import read_config
from baselines.running.runner import RunConfig
from baselines.training.trainer import TrainJob, train


def configured(name, history, given, **more):
    """The RunConfig of a baseline with what READY gives."""
    entry, values = find(name), {}
    if given and given[0].endswith(".toml"):
        values, given = read_config(Path(given[0]), entry).settings, given[1:]
    return RunConfig(entry, history, tuple(given), settings=values, **more)


def arguments(given):
    """What READY gives as the command line takes it."""
    return [
        part
        for each in given
        for part in (("--config", each) if each.endswith(".toml") else ("--set", each))
    ]


def described(folder, text):
    """A configuration file beside the folder."""
    file = folder.with_suffix(".toml")
    file.write_text(text, "utf-8")
    return [str(file)]


def table(name, baseline, assignments):
    """A member's table."""
    values = (assignment.partition("=") for assignment in assignments)
    rows = [
        f"{key} = {value if value.isdecimal() else json.dumps(value)}" for key, _, value in values
    ]
    return "\n".join([f"[{name}]", f'baseline = "{baseline}"', f"[{name}.settings]", *rows, ""])


def trained(name, folder, benchmark, *, steps=2, settings=()):
    """Train the baseline for a few steps."""
    chosen = settings(folder.with_name("from"), benchmark) if callable(settings) else settings
    train(TrainJob(find(name), tuple(chosen), TrainerConfig(folder, steps=steps)), benchmark)
    return [f"checkpoint={folder}"]


def tiny_clip(folder, benchmark, key="checkpoint"):
    """A random CLIP."""
    from tests.baselines import tiny

    return [f"{key}={tiny.clip(folder)}"]


def pipeline(folder, benchmark):
    """BM25 and a localiser that needs a checkpoint."""
    return described(folder, table("localiser", "sliding_window", tiny_clip(folder, benchmark)))


def tiny_sentences(folder, benchmark):
    """A random sentence encoder."""
    from tests.baselines import tiny

    return [f"checkpoint={tiny.sentences(folder)}"]


def scripted(name, folder, benchmark, settings=()):
    """Train for a few steps on a benchmark whose events are annotated."""
    annotate(benchmark)
    return trained(name, folder, benchmark, settings=["size=small", *settings])


def annotate(benchmark):
    """Write train/events.jsonl: two events in each video, of two attributes; a third of videos."""
    lines = [
        {
            "video_id": video_id,
            "background": f"ground {number}",
            "events": [
                {"colour": f"colour {number}", "pace": pace, "start": start, "end": start + 3.01}
                for pace, start in (("slow", 1.01), ("fast", 5.03))
            ],
        }
        for number, video_id in enumerate(benchmark.split("train").corpus)
    ]
    (benchmark.folder / "train" / "events.jsonl").write_text(
        "".join(json.dumps(line) + "\n" for line in lines), "utf-8"
    )


def interllava(folder, benchmark):
    """A dual encoder, and the tiny configuration that begins with it."""
    [start] = scripted("dual_encoder", folder.with_name("begun"), benchmark)
    start = start.replace("checkpoint", "start")
    settings = ["config=tiny", "reader=events", start, "size=small"]
    return ["config=tiny", *trained("interllava", folder, benchmark, steps=15, settings=settings)]


def endpoint(folder, benchmark):
    """A server of the tests' own."""
    from tests.chat.servers import standing

    return ["model=toy", f"url={standing().url}", "frames=2", "moment_frames=3", "side=32"]


def local_mllm(folder, benchmark):
    """A random LLaVA."""
    from tests.baselines import tiny

    small = ["frames=2", "moment_frames=3", "side=32", "max_tokens=6"]
    return [f"checkpoint={tiny.llava(folder)}", *small]


def two_stage(folder, benchmark):
    """BM25, then a server of the tests' own."""
    return described(folder, table("assistant", "endpoint", endpoint(folder, benchmark)))


def hybrid(folder, benchmark):
    """BM25 twice; the default reads earlier utterances, which history none does not show."""
    return described(
        folder,
        """
        [[member]]
        baseline = "bm25"

        [[member]]
        baseline = "bm25"
        weight = 2
        """,
    )


def ensemble(folder, benchmark):
    """Two trainings of one localiser."""
    members = ""
    for name in ("one", "two"):
        [setting] = trained("tan2d", folder.with_name(f"{folder.name}-{name}"), benchmark)
        settings = f'{{ checkpoint = "{setting.removeprefix("checkpoint=")}" }}'
        members += f'[[member]]\nbaseline = "tan2d"\nsettings = {settings}\n'
    return described(folder, members)


# What they give is a server in a thread of the process.
OF_ONE_PROCESS = ("endpoint", "two_stage")


def random_features(folder, benchmark):
    """Features of the toy's videos."""
    from tests.baselines.features.folders import feature_folder, random_rows

    frames = {video_id: 3 + at for at, video_id in enumerate(sorted(benchmark.videos))}
    return [f"features={feature_folder(folder, random_rows(frames, 6), benchmark.folder)}"]


READY = {
    "two_tower": partial(trained, "two_tower", settings=random_features),
    "dual_encoder": partial(scripted, "dual_encoder"),
    "tan2d": partial(trained, "tan2d"),
    "moment_detr": partial(trained, "moment_detr"),
    "ensemble": ensemble,
    "interllava": interllava,
    "two_stage": two_stage,
    "local_mllm": local_mllm,
    "endpoint": endpoint,
    "dense_text": tiny_sentences,
    "hybrid": hybrid,
    "clip": tiny_clip,
    "sliding_window": tiny_clip,
    "pipeline": pipeline,
    "clip4clip": partial(trained, "clip4clip", settings=partial(tiny_clip, key="clip")),
    "xpool": partial(trained, "xpool", settings=partial(tiny_clip, key="clip")),
}
