"""scores.json of protocol `official`, of result files and of submissions' folders."""

import json

import pytest

from harness.errors import EnvironmentFailure, SubmissionError
from harness.files import readable
from harness.protocols.official import OfficialCount
from harness.protocols.scores import cells, score_result
from harness.records import Card, Moment, Prediction
from harness.submission import write
from tests.protocols.samples import moment_turn, sample, video_turn

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
]
ANSWERS = [
    {"user_q": "a man", "output": "video 3"},
    {"user_q": "when", "output": "5s-10s"},
    {"user_q": "another", "output": "It is video 2"},
    {"user_q": "when then", "output": "2 - 4 seconds"},
]


def test_value_times_turns_is_the_official_count(benchmark_of, result_of):
    scores = score_result(result_of(ANSWERS), benchmark_of(FILE))
    cells = scores["metrics"]["all"]
    assert cells["R@1"] == {
        "value": 0.3333333333,
        "low": None,
        "high": None,
        "turns": 3,
        "dialogues": 2,
    }
    assert cells["R@1,IoU>=0.7"]["value"] * cells["R@1,IoU>=0.7"]["turns"] == 1
    assert scores["submission"] == {
        "team": None,
        "system": None,
        "history": "reference",
        "candidates": "used",
        "sha256": scores["submission"]["sha256"],
    }
    assert scores["protocol"] == "official"
    assert scores["signature"].startswith("official|")


def test_same_input_same_bytes(benchmark_of, result_of):
    benchmark, result = benchmark_of(FILE), result_of(ANSWERS)
    assert readable(score_result(result, benchmark)) == readable(score_result(result, benchmark))


def test_undefined_figures_say_why(benchmark_of, result_of):
    cells = score_result(result_of(ANSWERS[:1]), benchmark_of(FILE))["metrics"]["all"]
    assert cells["R@1"]["value"] is None
    assert "3 answers too few" in cells["R@1"]["why"]
    assert json.loads(readable(cells)) == cells


def predictions(benchmark, choices):
    for turn in benchmark.split("test").turns:
        choice, span = choices.get(turn.utterance, ((), None))
        moments = () if span is None else (Moment("S/7.mp4", *span),)
        if turn.task == "video":
            yield Prediction(*turn.key, choice=choice)
        else:
            yield Prediction(*turn.key, moments=moments)


def test_a_submission_is_scored_as_the_file_it_would_have_been(benchmark_of, result_of, tmp_path):
    # Moments in another video count all the same: the published scorer never looks (D14).
    benchmark = benchmark_of(FILE)
    said = {
        "a man": (("S/1.mp4",), None),
        "when": (None, (5000, 10000)),
        "another": (("S/2.mp4",), None),
        "when then": (None, (2000, 4000)),
    }
    folder = tmp_path / "submission"
    write(folder, Card(1, "team", "name", "own", "used"), predictions(benchmark, said))
    scores = score_result(folder, benchmark)
    assert scores["metrics"] == score_result(result_of(ANSWERS), benchmark)["metrics"]
    assert scores["submission"]["team"] == "team"
    assert "|hist:own|" in scores["signature"]


def test_a_ranking_of_the_corpus_names_its_first_candidate(benchmark_of, tmp_path):
    benchmark = benchmark_of(FILE)
    first = FILE[0]["conversations"][5]["candidate_videos"][0]
    rows = [
        Prediction(*turn.key, videos=("S/2.mp4", first))
        if turn.task == "video"
        else Prediction(*turn.key, moments=())
        for turn in benchmark.split("test").turns
    ]
    write(tmp_path / "s", Card(1, "t", "s", "own", "unused"), rows)
    assert score_result(tmp_path / "s", benchmark)["metrics"]["turn=3"]["R@1"]["value"] == 1


def test_an_invalid_submission_is_not_scored(benchmark_of, tmp_path):
    benchmark = benchmark_of(FILE)
    write(tmp_path / "s", Card(1, "t", "s", "own", "unused"), [])
    with pytest.raises(SubmissionError, match="not valid"):
        score_result(tmp_path / "s", benchmark)


def test_small_cells_of_hidden_labels_are_withheld(benchmark_of, result_of):
    scores = score_result(result_of(ANSWERS), benchmark_of(FILE, labels="hidden"))
    for row in scores["metrics"].values():
        for cell in row.values():
            assert cell["value"] is None


def test_what_is_withheld_is_no_difference_of_what_is_shown():
    turns = {"all": 62, "turn=1": 31, "turn=2": 30, "turn=3": 1}
    table = {name: {"R@1": OfficialCount(number, number, number)} for name, number in turns.items()}
    shown = {name for name, row in cells(table, hidden=True).items() if row["R@1"]["value"] == 1}
    # With turn 2, all less turn 1 less turn 2 would be the one third turn.
    assert shown == {"all", "turn=1"}
    assert all(row["R@1"]["value"] == 1 for row in cells(table, hidden=False).values())


def test_without_the_imported_file_there_is_no_official_figure(benchmark_of, result_of):
    benchmark = benchmark_of(FILE)
    kept = benchmark.folder / "source" / "tiny.json"
    kept.write_bytes(kept.read_bytes() + b" ")
    with pytest.raises(EnvironmentFailure, match="changed since the import"):
        score_result(result_of(ANSWERS), benchmark)
    kept.unlink()
    with pytest.raises(EnvironmentFailure, match="not here"):
        score_result(result_of(ANSWERS), benchmark)
