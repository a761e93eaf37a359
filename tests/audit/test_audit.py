"""The audit: its ends are the official and the sound figures, and its parts add up exactly."""

import json
import tempfile
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.audit.attribution import Share
from harness.audit.result import audit, document
from harness.audit.steps import BY_TURN, OVERALL, REPAIRS
from harness.benchmark import Benchmark
from harness.files import readable
from harness.formats.official import convert
from harness.records import Card
from harness.scoring import score
from harness.sources.importing import ImportSettings, import_files
from harness.submission import write
from tests.protocols import longhand
from tests.protocols.conftest import make
from tests.protocols.samples import NAMES, moment_turn, results, sample, samples, video_turn

SOUND = {
    "R@1": "C-R@1",
    "R@1,IoU>=0.3": "R@1,IoU>=0.3",
    "R@1,IoU>=0.5": "R@1,IoU>=0.5",
    "R@1,IoU>=0.7": "R@1,IoU>=0.7",
}
DURATIONS = dict.fromkeys(NAMES, 9.0)
FILE = [
    sample(
        [
            video_turn("a man", 3, "S/1.mp4"),
            moment_turn("when", 3, "S/1.mp4", (5, 10)),
            video_turn("another", 2, "S/2.mp4"),
            moment_turn("when then", 3, "S/1.mp4", (2, 4.5)),
        ]
    ),
    sample([video_turn("a woman", 1, "S/3.mp4")], kind=7),
    sample([video_turn("failed", None, "S/3.mp4")]),
]
QUESTIONS = ["a man", "when", "another", "when then"]


def rows(*outputs, questions=QUESTIONS):
    return [{"user_q": q, "output": o} for q, o in zip(questions, outputs, strict=True)]


def parts(explained):
    return {p.defect: (p.up, p.down, p.added) for p in explained.parts if p.up or p.down or p.added}


def assert_adds_up(found):
    """Parts sum to the whole difference, and the first end is the official count."""
    for name, row in found.attributed.figures.items():
        for figure, explained in row.items():
            official = found.official[name][figure]
            assert explained.official == Share(official.right, official.turns)
            effects = sum((part.effect for part in explained.parts), Fraction(0))
            assert effects == explained.official.value - explained.sound_items.value
            moved = sum(part.up - part.down for part in explained.parts)
            assert moved == explained.official.right - explained.sound_items.right
            added = sum(part.added for part in explained.parts)
            assert added == explained.official.turns - explained.sound_items.turns


def assert_sound_end(found, result, benchmark, folder):
    """The other end is what `ivcr score` gives for the converted submission."""
    write(folder, Card(1, "t", "s", "reference", "used"), convert(result, benchmark).predictions)
    metrics = score(folder, benchmark).document["metrics"]
    for name, row in found.attributed.figures.items():
        for figure, explained in row.items():
            cell = metrics[name][SOUND[figure]]
            assert explained.sound.turns == cell["turns"], (name, figure)
            if cell["turns"]:
                value = float(f"{float(explained.sound.value):.10g}")
                assert value == cell["value"], (name, figure)


def test_thoughts_and_json_are_read_as_the_converter_reads_them(benchmark_of, result_of, tmp_path):
    benchmark = benchmark_of(FILE, durations=DURATIONS)
    result = result_of(
        rows(
            '<think>Video 1?</think>{"videos": [3], "reply": "There."}',
            '◁think▷1s-2s◁/think▷{"start": 5.0, "end": 9.0}',
            "<reasoning>Video 2, or",
            'At 7 s to 8 s? {"start": 2, "end": 4.5}',
        )
    )
    found = audit(result, benchmark)
    assert_adds_up(found)
    assert_sound_end(found, result, benchmark, tmp_path / "s")
    figures = found.attributed.figures["all"]
    assert figures["R@1"].sound_items == Share(1, 2)
    assert figures["R@1,IoU>=0.7"].sound_items == Share(2, 2)


@settings(max_examples=30)
@given(data=st.data(), file=samples())
def test_parts_add_up_and_both_ends_are_figures_of_others(data, file):
    entries = data.draw(results(longhand.questions(file)))
    durations = data.draw(st.sampled_from([None, DURATIONS]))
    with tempfile.TemporaryDirectory() as folder:
        benchmark = make(Path(folder), file, durations=durations)
        result = Path(folder) / "result.json"
        result.write_text(json.dumps(entries), "utf-8")
        found = audit(result, benchmark)
        assert_adds_up(found)
        assert_sound_end(found, result, benchmark, Path(folder) / "submission")


@pytest.fixture(scope="module")
def real(shared, tmp_path_factory):
    """The real text as a benchmark."""
    data = shared / "data" / "charades-ivcr.test.json.gz"
    meta = shared / "data" / "charades-ivcr.test.videos.json.gz"
    out = tmp_path_factory.mktemp("real") / "benchmark"
    return Benchmark(import_files([data], out, ImportSettings("real"), videos=meta).folder)


@pytest.mark.parametrize("name", ["1-plain", "2-messy", "3-prefixed"])
def test_the_golden_files_are_explained_to_the_last_turn(shared, real, tmp_path, name):
    result = shared / "golden" / f"{name}.result.json.gz"
    found = audit(result, real)
    assert_adds_up(found)
    moved = parts(found.attributed.figures["turn=1"]["R@1"])
    assert ("D5" in moved) == (name == "3-prefixed")
    if name == "2-messy":
        assert_sound_end(found, result, real, tmp_path / "submission")


def test_a_perfect_file_loses_what_the_defects_say(benchmark_of, result_of):
    given = rows("video 3", "5s-10s", "video 2", "2s-4.5s")
    found = audit(result_of(given), benchmark_of(FILE))
    video = found.attributed.figures["all"]["R@1"]
    assert (video.official, video.sound, video.sound_items) == (
        Share(1, 4),
        Share(2, 4),
        Share(2, 2),
    )
    assert parts(video) == {"D1": (0, 1, 0), "D3": (0, 0, 1), "D2": (0, 0, 1)}
    moment = found.attributed.figures["all"]["R@1,IoU>=0.5"]
    assert (moment.official, moment.sound_items) == (Share(1, 2), Share(2, 2))


@pytest.mark.parametrize(
    ("outputs", "figure", "defect", "moved"),
    [
        (("video 3", "", "the 2nd video", ""), "R@1", "D9", (0, 1, 0)),
        (("video 3", "", "在video 2中", ""), "R@1", "D13", (0, 1, 0)),
        (("video 3", "", "", "2-3 people, 2s-4.5s"), "R@1,IoU>=0.7", "D8", (0, 1, 0)),
        (("video 3", "", "", "from 2 to 4.5 s"), "R@1,IoU>=0.5", "D8", (0, 1, 0)),
    ],
)
def test_a_defect_is_named_for_the_turn_that_it_moves(
    benchmark_of, result_of, outputs, figure, defect, moved
):
    found = audit(result_of(rows(*outputs)), benchmark_of(FILE))
    assert parts(found.attributed.figures["all"][figure])[defect] == moved


def test_none_equal_to_none_is_credit_by_the_reading_defect(benchmark_of, result_of):
    file = [sample([video_turn("a", 1, "S/1.mp4"), video_turn("b", None, "S/1.mp4")])]
    given = rows("video 1", "no idea", questions=["a", "b"])
    found = audit(result_of(given), benchmark_of(file))
    assert parts(found.attributed.figures["all"]["R@1"])["D9"] == (1, 0, 0)


def test_a_threshold_missed_by_rounding_is_d10(benchmark_of, result_of):
    # 2.1 of 3.0 s are exactly 0.7; doubles make (3.3 - 1.2) / (3.3 - 0.3) less.
    assert (3.3 - 1.2) / (3.3 - 0.3) < 0.7
    turn = moment_turn("when", 1, "S/1.mp4", (0.3, 3.3))
    file = [sample([moment_turn("first", 1, "S/1.mp4", (1, 2)), turn])]
    given = rows("", "1.2s-3.3s", questions=["first", "when"])
    found = audit(result_of(given), benchmark_of(file))
    assert parts(found.attributed.figures["all"]["R@1,IoU>=0.7"]) == {"D10": (0, 1, 0)}


def test_a_span_past_the_video_is_cut(benchmark_of, result_of):
    file = [sample([video_turn("v", 1, "S/1.mp4"), moment_turn("m", 1, "S/1.mp4", (5, 9))])]
    given = rows("video 1", "5s-25s", questions=["v", "m"])
    found = audit(result_of(given), benchmark_of(file, durations=DURATIONS))
    assert parts(found.attributed.figures["turn=2"]["R@1,IoU>=0.5"]) == {"cut": (0, 1, 0)}


def test_a_repeated_question_shares_its_first_answer(benchmark_of, result_of):
    file = [
        sample([video_turn("same", 1, "S/1.mp4")]),
        sample([video_turn("same", 2, "S/1.mp4")]),
    ]
    found = audit(result_of(rows("video 1", "video 2", questions=["same"] * 2)), benchmark_of(file))
    explained = found.attributed.figures["turn=1"]["R@1"]
    assert parts(explained) == {"D4": (0, 1, 0)}
    assert (explained.official, explained.sound) == (Share(1, 2), Share(2, 2))


def test_a_missing_entry_moves_what_stands_after_it(benchmark_of, result_of):
    file = [sample([video_turn(q, n, "S/1.mp4") for n, q in enumerate("abc", start=1)])]
    given = rows("video 1", "video 3", questions=["a", "c"])
    found = audit(result_of(given), benchmark_of(file))
    explained = found.attributed.figures["all"]["R@1"]
    assert parts(explained) == {"D1": (0, 1, 0), "D6": (0, 1, 0)}
    assert "too few" in found.official["all"]["R@1"].why


def test_where_the_scorer_stops_the_document_carries_on(benchmark_of, result_of):
    given = rows("video 3", "5s-10s", "video 2", "2s-4s")[:3]
    written = json.loads(readable(document(audit(result_of(given), benchmark_of(FILE)))))
    cell = written["figures"]["all"]["R@1"]["official"]
    assert cell["value"] is None
    assert cell["carried_on"] == 0.25
    assert "too few" in cell["why"]


def test_the_document_states_its_order_and_is_the_same_twice(benchmark_of, result_of):
    benchmark, result = benchmark_of(FILE), result_of(rows("video 3", "5s-10s", "", "1-2 s"))
    written = readable(document(audit(result, benchmark)))
    assert written == readable(document(audit(result, benchmark)))
    parsed = json.loads(written)
    assert parsed["schema"] == 1
    assert parsed["order"] == {"all": list(OVERALL), "turn=N": list(BY_TURN)}
    assert set(OVERALL) | set(BY_TURN) == set(REPAIRS) == set(parsed["defects"])


def test_hidden_labels_show_no_example_and_no_small_figure(benchmark_of, result_of):
    result = result_of(rows("the 3rd video", "", "the 2nd video", "2 - 4.5"))
    written = document(audit(result, benchmark_of(FILE, labels="hidden")))
    assert written["examples"] == []
    for row in written["figures"].values():
        for cell in row.values():
            assert set(cell) == {"official"}
            assert cell["official"]["value"] is None
