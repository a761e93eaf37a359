"""What the harness itself writes is valid by the schemas that it publishes."""

import json

import msgspec
import pytest
from jsonschema import Draft202012Validator

from harness import scoring
from harness.benchmark import Benchmark
from harness.formats.conversion import abstention
from harness.schemas.documents import schema
from harness.sources import importing
from harness.submission import STARTER, write


def faults(name, value):
    return [error.message for error in Draft202012Validator(schema(name)).iter_errors(value)]


@pytest.fixture(scope="module")
def imported(shared, tmp_path_factory):
    out = tmp_path_factory.mktemp("imported") / "small60"
    data = shared / "data"
    settings = importing.ImportSettings(name="small60", corpus="named", labels="public")
    importing.import_files(
        (data / "charades-ivcr.small60.json.gz",),
        out,
        settings,
        videos=data / "charades-ivcr.small60.videos.json.gz",
    )
    return Benchmark(out)


def test_header(imported):
    assert faults("benchmark", json.loads((imported.folder / "benchmark.json").read_bytes())) == []


@pytest.mark.parametrize("name", ["turns", "candidates", "gold"])
def test_lines_of_a_split(name, imported):
    rows = (imported.folder / "test" / f"{name}.jsonl").read_bytes().splitlines()
    assert rows
    assert [found for row in rows for found in faults(name, json.loads(row))] == []


def test_scores(imported, tmp_path):
    write(tmp_path / "sub", STARTER, map(abstention, imported.split("test").turns))
    document = scoring.score(tmp_path / "sub", imported).document
    assert faults("scores", msgspec.json.decode(msgspec.json.encode(document))) == []
