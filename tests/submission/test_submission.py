"""Writing a submission: whole or not at all, the same bytes, and it reads back as it was."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.benchmark import Benchmark
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.files import zstd
from harness.records import ANNOTATIONS, WEIGHTS, Card, Moment, Prediction
from harness.submission import EXAMPLE, STARTER, line, start, toml_card, write
from harness.validation import check
from harness.validation.reading.card_file import card_findings
from tests.validation.samples import write_benchmark

TEMPLATE = {"C109": 2}  # team and system are the template's
PREDICTIONS = (
    Prediction("d1", 1, videos=("v/a.mp4", "v/b.mp4"), choice=()),
    Prediction("d1", 2, moments=(Moment("v/c.mp4", 1, 29_999), Moment("v/c.mp4", 0, 30_000))),
    Prediction("d1", 3, response='是的, "the second" \\ one\u2028'),
    Prediction("d2", 1, videos=()),
    Prediction("d2", 2, choice=("v/c.mp4",), response=""),
)


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory):
    return Benchmark(write_benchmark(tmp_path_factory.mktemp("submission") / "benchmark"))


def test_what_is_written_is_valid_and_reads_back(tmp_path, benchmark):
    write(tmp_path / "sub", STARTER, PREDICTIONS)
    checked = check(tmp_path / "sub", benchmark)
    assert checked.report.totals == TEMPLATE
    assert checked.predictions == PREDICTIONS
    assert checked.card == STARTER


def test_same_predictions_same_bytes(tmp_path):
    for name in "ab":
        write(tmp_path / name, STARTER, iter(PREDICTIONS))
    for file in ("card.toml", "predictions.jsonl.zst"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_line_is_compact_in_seconds_and_without_what_is_not_given():
    assert line(PREDICTIONS[1]) == (
        b'{"dialogue_id":"d1","turn":2,"moments":[{"video_id":"v/c.mp4","start":0.001,"end":29.999},'
        b'{"video_id":"v/c.mp4","start":0.0,"end":30.0}]}\n'
    )
    assert line(PREDICTIONS[3]) == b'{"dialogue_id":"d2","turn":1,"videos":[]}\n'


@given(
    st.integers(0, 10**9 - 1).flatmap(lambda s: st.tuples(st.just(s), st.integers(s + 1, 10**9)))
)
def test_milliseconds_survive_the_file(span):
    import json

    given = json.loads(line(Prediction("d", 1, moments=(Moment("v", *span),))))["moments"][0]
    assert (round(given["start"] * 1000), round(given["end"] * 1000)) == span


def failing():
    yield PREDICTIONS[0]
    raise KeyError("the model fell over")


def test_failure_leaves_nothing_new(tmp_path):
    with pytest.raises(KeyError):
        write(tmp_path / "new", STARTER, failing())
    assert not (tmp_path / "new").exists()


def test_failure_leaves_what_was_there(tmp_path):
    write(tmp_path / "old", STARTER, PREDICTIONS)
    before = {path.name: path.read_bytes() for path in (tmp_path / "old").iterdir()}
    with pytest.raises(KeyError):
        write(tmp_path / "old", Card(1, "other", "other", "none", "used"), failing())
    assert {path.name: path.read_bytes() for path in (tmp_path / "old").iterdir()} == before


def test_full_disk_is_one_line_and_nothing_half_written(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harness.files.os.fsync", full)
    with pytest.raises(EnvironmentFailure, match="No space left on device"):
        write(tmp_path / "sub", STARTER, PREDICTIONS)
    assert not (tmp_path / "sub").exists()


def test_second_predictions_file_is_not_made(tmp_path):
    (tmp_path / "predictions.jsonl").write_bytes(b"")
    with pytest.raises(EnvironmentFailure, match="already holds"):
        write(tmp_path, STARTER, PREDICTIONS)


def test_path_below_a_file_is_a_failed_environment(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(EnvironmentFailure, match="sub: cannot be written: File exists"):
        write(tmp_path / "file" / "sub", STARTER, PREDICTIONS)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
CARDS = st.builds(
    Card,
    schema=st.just(1),
    team=TEXTS,
    system=TEXTS,
    history=st.sampled_from(["none", "own", "reference"]),
    candidates=st.sampled_from(["used", "unused"]),
    description=st.none() | TEXTS,
    training_data=st.none() | st.lists(TEXTS, max_size=3).map(tuple),
    annotations=st.none() | st.sampled_from(ANNOTATIONS),
    weights=st.none() | st.sampled_from(WEIGHTS),
    parameters=st.none() | TEXTS | st.integers(-(2**53), 2**53) | st.floats(-1e300, 1e300),
    seed=st.none() | st.integers(-(2**53), 2**53),
    cost=st.none() | TEXTS | st.dictionaries(TEXTS, TEXTS | st.floats(-1e9, 1e9), max_size=3),
    figures=st.none() | st.dictionaries(TEXTS, st.floats(-1e9, 1e9), max_size=3),
)


@given(CARDS)
def test_card_survives_toml(card):
    table = tomllib.loads(toml_card(card))
    assert {key: tuple(v) if isinstance(v, list) else v for key, v in table.items()} == {
        key: getattr(card, key) for key in card.__struct_fields__ if getattr(card, key) is not None
    }


def test_start_writes_a_valid_card_and_three_lines_about_real_turns(tmp_path, benchmark):
    start(tmp_path / "sub", benchmark)
    table = tomllib.loads((tmp_path / "sub" / "card.toml").read_text())
    assert [finding.code for finding in card_findings(table)] == ["C109", "C109"]
    (tmp_path / "sub" / EXAMPLE).rename(tmp_path / "sub" / "predictions.jsonl")
    report = check(tmp_path / "sub", benchmark).report
    assert report.totals == TEMPLATE | {"T100": 2}
    assert report.answered == 3


def test_start_keeps_a_card_that_is_there(tmp_path, benchmark):
    (tmp_path / "card.toml").write_text("mine")
    with pytest.raises(WrongUsageError, match=r"has a card\.toml"):
        start(tmp_path, benchmark)
    assert (tmp_path / "card.toml").read_text() == "mine"


def test_keys_that_the_starter_card_offers_are_valid(tmp_path, benchmark):
    start(tmp_path / "sub", benchmark)
    text = (tmp_path / "sub" / "card.toml").read_text()
    offered = "\n".join(
        row.removeprefix("# ") for row in text.splitlines() if row.startswith("# ") and " = " in row
    )
    table = tomllib.loads(toml_card(STARTER).replace("Your", "Our") + offered)
    assert len(table) == 6 + 17
    assert list(card_findings(table)) == []


def test_written_lines_are_those_of_zstd(tmp_path):
    write(tmp_path / "sub", STARTER, PREDICTIONS)
    data = Path(tmp_path / "sub" / "predictions.jsonl.zst").read_bytes()
    assert zstd.decompress(data) == b"".join(map(line, PREDICTIONS))
