"""Every source: found by its file, whole or not at all, known when the benchmark is read again."""

import json

import numpy as np
import pytest

from harness.benchmark import Benchmark, VideoLine
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.protocols.source import read_source
from harness.records import Span
from harness.sources import importing, readers
from harness.sources.importing import ImportSettings, import_files
from harness.sources.readers import OFFICIAL, SOURCES, Source, source_named
from tests.comparison.worlds import world


def test_the_official_format_is_a_source_like_any_other():
    assert OFFICIAL in SOURCES


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_says_what_it_is(name):
    assert 20 < len(SOURCES[name]) <= 100
    assert callable(source_named(name).samples)


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("data", [None, b"\xff\xfe\n", b'"[{ <', b"[" * 100_000, b"[]", b"17\n"])
def test_file_that_is_not_in_the_format_leaves_nothing(name, data, tmp_path):
    file, out = tmp_path / "in.jsonl", tmp_path / "benchmark"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(EnvironmentFailure, match=r"in\.jsonl"):
        import_files([file], out, ImportSettings("toy", source=name))
    assert not out.exists()


def test_unknown_source_is_refused_with_the_names_of_all(tmp_path):
    with pytest.raises(WrongUsageError, match=f"expected one of: .*{OFFICIAL}"):
        import_files([tmp_path / "x"], tmp_path / "b", ImportSettings("toy", source="tacos"))
    assert list(tmp_path.iterdir()) == []


def test_a_benchmark_of_a_source_that_is_gone_is_not_read_as_another(tmp_path):
    benchmark = world(tmp_path, (1, "v0 v1"))
    path = benchmark.folder / "benchmark.json"
    header = json.loads(path.read_text("utf-8"))
    assert header["sources"][0]["importer"] == OFFICIAL
    header["sources"][0]["importer"] = "tacos"
    path.write_text(json.dumps(header), "utf-8")
    with pytest.raises(EnvironmentFailure, match='found "tacos"'):
        read_source(type(benchmark)(benchmark.folder), "test")


def test_values_of_a_library_are_read_as_plain_ones(tmp_path, monkeypatch):
    name = np.str_("A/0.mp4")
    turns = [
        {"from": "human", "value": np.str_("when?")},
        {"from": "gpt", "value": "here", "video_id": name, "gt_se": np.array([1.5, 3], np.float32),
         "candidate_videos": np.array([f"A/{n}.mp4" for n in range(10)])},
        {"from": "human", "value": "find it"},
        {"from": "gpt", "value": "here", "video_id": name, "gt_se": (np.int64(-1), -1)},
    ]  # fmt: skip
    sample = {"id": np.int64(7), "split": "test", "type": np.array([2]), "conversations": turns}
    source = Source(
        lambda file: iter([sample]), lambda file: iter([VideoLine(name, np.float32(9))])
    )
    monkeypatch.setitem(readers.SOURCES, "own", "")
    monkeypatch.setattr(readers, "source_named", lambda _: source)
    monkeypatch.setattr(importing, "source_named", lambda _: source)
    (tmp_path / "in").touch()
    made = import_files([tmp_path / "in"], tmp_path / "b", ImportSettings("toy", source="own"))
    assert [row.code for row in made.oddities] == ["no-metadata"]  # of nine candidates
    benchmark = Benchmark(tmp_path / "b").checked()
    assert [turn.task for turn in benchmark.split().turns] == ["moment", "video"]
    assert benchmark.split().turns[0].dialogue_id == "7"
    assert benchmark.gold()[0].moment == Span(1500, 3000)
    assert benchmark.videos["A/0.mp4"].duration == 9000
    sample["note"] = object()
    with pytest.raises(EnvironmentFailure, match="in: dialogue 1: expected values as JSON has"):
        import_files([tmp_path / "in"], tmp_path / "c", ImportSettings("toy", source="own"))
