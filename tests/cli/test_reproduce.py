"""ivcr reproduce, as it is typed."""

import json

import pytest

from baselines.registry import find
from baselines.running.run import run_baseline
from baselines.running.run_config import RunConfig
from harness.files import zstd
from tests.baselines.conftest import imported


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A benchmark and the row house/bm25 in a folder, which is the current one."""
    monkeypatch.setenv("IVCR_CACHE", str(tmp_path / "cache"))
    benchmark = imported(tmp_path)
    run_baseline(RunConfig(find("bm25"), "own"), benchmark, tmp_path / "submissions/house/bm25")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_same_code_is_exact(ivcr, made):
    code, out, err = ivcr("reproduce", "house/bm25", "--benchmark", "toy", "--check")
    assert (code, err) == (0, "")
    assert out == "exact: the predictions of all 9 turns have the same bytes\n"


def test_a_run_is_kept_where_it_is_asked_for(ivcr, made):
    code, out, _ = ivcr("reproduce", "house/bm25", "--benchmark", "toy", "--out", "again")
    assert (code, out) == (0, "again\n")
    assert (made / "again" / "run.json").is_file()
    code, _, err = ivcr("reproduce", "house/bm25", "--benchmark", "toy", "--out", "again")
    assert code == 2
    assert "is not an empty folder" in err


def test_the_first_turn_that_differs_is_shown_with_both_answers(ivcr, made):
    file = made / "submissions/house/bm25/predictions.jsonl.zst"
    lines = zstd.decompress(file.read_bytes()).splitlines()
    line = json.loads(lines[2])
    line["videos"] = [*line["videos"][1:], "B/cook.mp4"][:2]
    lines[2] = json.dumps(line, separators=(",", ":")).encode()
    file.write_bytes(zstd.compress(b"\n".join(lines) + b"\n"))
    code, out, err = ivcr("reproduce", "house/bm25", "--benchmark", "toy", "--check")
    assert code == 1
    assert out.splitlines()[0].startswith(f'differs first in dialogue "{line["dialogue_id"]}"')
    assert [text.split(":")[0].strip() for text in out.splitlines()[1:]] == ["recorded", "now"]
    assert "1 of 9 turns differ beyond the tolerance of 10 ms" in err


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("house/bm25",), 2, "expected --check, or --out"),
        (("house/absent", "--check"), 2, "expected the folder of a run, found none"),
        (("house/bm52", "--check"), 2, "did you mean bm25? --submissions says in which folder"),
        (("house", "--check"), 2, "expected TEAM/RUN"),
        (("house/bm25", "--check", "--set", "context=all"), 2, "that no answer depends on"),
        (("house/bm25", "--check", "--trained", "toy"), 2, "expected a folder of trained weights"),
    ],
)
def test_wrong_usage_is_one_line(ivcr, made, words, code, why):
    found = ivcr("reproduce", *words, "--benchmark", "toy")
    assert (found[0], len(found[2].splitlines())) == (code, 1)
    assert why in found[2]


def test_a_row_that_no_baseline_made_cannot_be_made_again(ivcr, made):
    (made / "submissions/house/bm25/run.json").unlink()
    code, _, err = ivcr("reproduce", "house/bm25", "--benchmark", "toy", "--check")
    assert code == 1
    assert "only runs of the project's baselines" in err
