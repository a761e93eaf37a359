"""IVCR-Mini in the official format: candidates, reference answers, texts, bytes on disk."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.sources.mini import MiniAnnotations, annotate, build
from tests.conftest import WAIT
from tests.sources.test_mini_reading import (
    CHINESE,
    Turn,
    all_turns,
    digest,
    first_stage,
    read_turns,
    seed_zero,
)

OFFICIAL_NUMBER = re.compile(r"(?i)\bvideo\s+(10|[0-9])\b")
OFFICIAL_SPAN = re.compile(r"(\d+(?:\.\d+)?)s-(\d+(?:\.\d+)?)s")


@pytest.fixture(scope="module")
def made() -> MiniAnnotations:
    return seed_zero()


@pytest.fixture(scope="module")
def turns() -> list[Turn]:
    return all_turns()


def test_only_chat_lacks_candidates_and_spans(made: MiniAnnotations) -> None:
    for sample in made.samples:
        assert set(sample) == {"split", "type", "conversations"}
        for turn in read_turns(sample):
            assert (turn.task == "chat") == (turn.kind == 0)
            assert ("candidate_videos" in turn.reply) == (turn.kind != 0)


def test_candidates_are_the_first_stage_of_the_utterance_alone(
    made: MiniAnnotations, turns: list[Turn]
) -> None:
    corpus = [s.video_id for s in made.world if s.split == "val"]
    texts = [line["text"] for line in made.meta if line["video_id"] in set(corpus)]
    video = [turn for turn in turns if turn.split == "val" and turn.task == "video"]
    found = first_stage(texts, [turn.utterance for turn in video], 10)
    for turn, positions in zip(video, found, strict=True):
        assert turn.reply["candidate_videos"] == [corpus[i] for i in positions]
    missed = sum(turn.reply["video_id"] not in turn.reply["candidate_videos"] for turn in video)
    assert 0 < missed < len(video)


def test_moments_keep_the_candidates_at_hand_or_put_the_gold_first(turns: list[Turn]) -> None:
    before: list[str] = []
    for turn in turns:
        if turn.task == "moment":
            candidates = turn.reply["candidate_videos"]
            assert len(set(candidates)) == 10
            assert (
                candidates == before
                if " > " not in turn.note
                else (candidates[0] == turn.reply["video_id"])
            )
        before = turn.reply.get("candidate_videos", [])


def test_answers_read_as_the_gold_by_the_official_rules(turns: list[Turn]) -> None:
    glued = chinese = 0
    for turn in turns:
        if turn.task == "chat":
            continue
        answer, gold = turn.reply["value"], turn.reply["video_id"]
        read = OFFICIAL_NUMBER.search(answer)
        if gold in turn.reply["candidate_videos"]:
            position = turn.reply["candidate_videos"].index(gold) + 1
            chinese += bool(CHINESE.search(answer))
            glued += read is None
            assert re.search(rf"(?i)video {position}(?!\d)", answer)
            assert int(read[1]) == position if read else CHINESE.search(answer)
        else:
            assert read is None
        spans = [[float(a), float(b)] for a, b in OFFICIAL_SPAN.findall(answer)]
        assert spans == ([] if turn.task == "video" else [turn.reply["gt_se"]])
    assert 0.03 < glued / chinese < 0.15  # documented in official_entries.GLUED


def test_texts_keep_about_seventy_per_cent_and_are_the_same_for_twins(
    made: MiniAnnotations,
) -> None:
    texts = {line["video_id"]: line["text"] for line in made.meta}
    kept = total = 0
    for script in made.world:
        text = texts[script.video_id]
        if script.twin:
            assert text == texts[script.twin]
        assert set(text) == {"title", "transcript", "title_zh", "transcript_zh"}
        words = text["transcript"].split(": ")[1].split(", ")
        assert len(words) == len(text["transcript_zh"].split("：")[1].split("、"))
        kept += len(words)
        total += 5 * len(script.events)
    assert kept / total == pytest.approx(0.7, abs=0.02)


def test_meta_names_a_file_and_a_duration_for_every_video(made: MiniAnnotations) -> None:
    sources = Counter(line["video_id"].split("/")[0] for line in made.meta)
    assert min(sources.values()) > 100
    assert len(sources) == 2
    for line, script in zip(made.meta, made.world, strict=True):
        assert line["path"] == "videos/" + line["video_id"].split("/")[1]
        assert line["duration"] * 8 == script.frames


def test_no_fixed_span_is_a_good_guess(made: MiniAnnotations, turns: list[Turn]) -> None:
    duration = {line["video_id"]: line["duration"] for line in made.meta}
    moments = [turn.reply for turn in turns if turn.task == "moment" and turn.split == "test"]
    spans = [
        (r["gt_se"][0] / duration[r["video_id"]], r["gt_se"][1] / duration[r["video_id"]])
        for r in moments
    ]

    def share(start: float, end: float) -> float:
        hits = [
            max(0.0, min(end, b) - max(start, a)) / (max(end, b) - min(start, a)) >= 0.5
            for a, b in spans
        ]
        return sum(hits) / len(hits)

    assert max(share(i / 20, j / 20) for j in range(1, 21) for i in range(j)) < 0.33
    assert share(0, 1) < 0.05


def test_annotations_do_not_depend_on_the_hash_seed(made: MiniAnnotations) -> None:
    code = (
        "from tests.sources.test_mini_reading import digest, seed_zero;print(digest(seed_zero()))"
    )
    repository = Path(__file__).resolve().parents[2]
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(repository)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "4242")
    ]
    assert {run.communicate(timeout=WAIT)[0].strip() for run in runs} == {digest(made)}


def test_build_writes_all_files_and_the_official_one_last(
    tmp_path: Path, made: MiniAnnotations, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted: list[str] = []

    def fake_render(jobs: Sequence[tuple[Any, Path]], **_: object) -> None:
        assert not (tmp_path / "source").exists()
        wanted.extend(str(path.relative_to(tmp_path)) for _, path in jobs)

    monkeypatch.setitem(build.__globals__, "annotate", lambda *_, train: made)
    monkeypatch.setitem(build.__globals__, "render", fake_render)
    files = build(tmp_path, seed=0, first_stage=first_stage)
    meta = [json.loads(line) for line in files.videos.read_text("utf-8").splitlines()]
    assert wanted == [line["path"] for line in meta]
    assert json.loads(files.dialogues.read_text("utf-8")) == made.samples
    events = [json.loads(line) for line in files.events.read_text("utf-8").splitlines()]
    assert {line["video_id"] for line in events} == {
        script.video_id for script in made.world if script.split == "train"
    }
    assert not list(tmp_path.rglob("*.part"))
    assert files.type_names[0] == "Chat"
    assert files.type_names[7] == "Concatenation"


def test_a_first_stage_that_repeats_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 10 different positions"):
        annotate(0, lambda texts, queries, k: [[0] * k for _ in queries])
