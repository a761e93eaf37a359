"""Every source: found by its file, whole or not at all, known when the benchmark is read again."""

import json

import pytest

from harness.errors import EnvironmentFailure, WrongUsageError
from harness.protocols.source import read_source
from harness.sources.importing import ImportSettings, import_files
from harness.sources.readers import OFFICIAL, SOURCES, source_named
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
