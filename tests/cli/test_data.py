"""ivcr data import: which splits are hidden, where videos lie, what is said of it."""

import json
import shutil

import pytest

from harness.benchmark import Benchmark
from tests.baselines.conftest import CAT, films, imported
from tests.sources.test_ivcr200k import TEN, THREE


@pytest.fixture
def imports(ivcr, tmp_path):
    """Import three splits with these options: exit code, output, error."""

    def run(*options, meta=()):
        (tmp_path / "in.json").write_text(json.dumps(THREE))
        (tmp_path / "meta.json").write_text(json.dumps(list(meta)))
        described = ["--videos", tmp_path / "meta.json"] if meta else []
        return ivcr(
            "data", "import", tmp_path / "in.json", "--out", tmp_path / "b", *described, *options
        )

    return run


@pytest.mark.parametrize(
    ("options", "hidden"),
    [
        ([], []),
        (["--labels", "public"], []),
        (["--labels", "hidden"], ["test"]),
        (["--hide", "test"], ["test"]),
        (["--hide", "test,val"], ["val", "test"]),
        (["--labels", "hidden", "--hide", "val, test"], ["val", "test"]),
    ],
)
def test_the_splits_to_hide_are_chosen(ivcr, imports, tmp_path, options, hidden):
    assert imports(*options)[0] == 0
    splits = ("train", "val", "test")
    assert [
        name for name in splits if not (tmp_path / "b" / name / "reference.jsonl").exists()
    ] == hidden
    benchmark = Benchmark(tmp_path / "b")
    assert [name for name in splits if benchmark.labels(name) == "hidden"] == hidden
    shown = ivcr("data", "info", tmp_path / "b")[1].splitlines()[0]
    assert shown.endswith(f"labels hidden ({', '.join(hidden)})" if hidden else "labels public")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--labels", "public", "--hide", "test"], "--labels public hides nothing"),
        (["--hide", "train"], '--hide "train": expected one of: val, test'),
        (["--hide", ""], "--hide"),
    ],
)
def test_what_cannot_be_hidden_is_wrong_usage(imports, tmp_path, options, expected):
    code, _, err = imports(*options)
    assert (code, expected in err) == (2, True)
    assert not (tmp_path / "b").exists()


def test_a_public_val_split_is_scored_in_full_and_a_hidden_test_split_is_not(
    ivcr, imports, tmp_path
):
    assert imports("--labels", "hidden")[0] == 0
    for split in ("val", "test"):
        out = tmp_path / split
        run = ["--benchmark", tmp_path / "b", "--split", split]
        history = "reference" if split == "val" else "own"
        assert ivcr("baseline", "run", "random", *run, "--history", history, "--out", out)[0] == 0
        assert ivcr("score", out, *run)[0] == 0
        figure = json.loads((out / "scores.json").read_text())["metrics"]["all"]["R@10"]
        assert (figure["value"] is None) == (split == "test")
        assert (out / "scores.outcomes.npz").exists() == (split == "val")
    code, _, err = ivcr("baseline", "run", "random", "--benchmark", tmp_path / "b",
                        "--history", "reference", "--out", tmp_path / "no")  # fmt: skip
    assert (code, "withholds the reference answers of test" in err) == (3, True)


def test_a_folder_for_the_videos_is_named_at_import_and_shown(ivcr, imports, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "cat.mp4").write_bytes(films()[CAT])
    meta = [{"video_id": name, "duration": 10_000, "path": f"{disk}/cat.mp4"} for name in TEN]
    code, out, _ = imports(meta=meta)
    assert (code, "10  videos whose path leads out of the videos' folder" in out) == (0, True)
    assert "name the folder that holds them with --videos-root" in out
    (tmp_path / "b").rename(tmp_path / "before")
    code, out, _ = imports("--videos-root", disk, meta=meta)
    assert (code, "leads out" in out) == (0, False)
    assert "10  videos whose duration in META is a thousand times their file's" in out
    assert "divide them by 1000" in out
    assert f'files of videos below "{disk}"' in ivcr("data", "info", tmp_path / "b")[1]
    (tmp_path / "b").rename(tmp_path / "after")
    code, _, err = imports("--videos-root", tmp_path / "nowhere", meta=meta)
    assert (code, "nowhere: expected the folder of the videos, found none" in err) == (3, True)


def test_the_copy_that_participants_get_serves_all_but_scoring(ivcr, tmp_path):
    folder = imported(tmp_path, labels="hidden").folder
    shutil.rmtree(folder / "source")
    (folder / "test" / "gold.jsonl").unlink()
    where, sub = ["--benchmark", folder], tmp_path / "sub"
    for words in (
        ["data", "info", folder],
        ["submission", "init", tmp_path / "started", *where],
        ["baseline", "run", "bm25", *where, "--history", "own", "--out", sub],
        ["validate", sub, *where],
    ):
        code, _, err = ivcr(*words)
        assert code == 0, err
    code, _, err = ivcr("score", sub, *where)
    assert (code, "(labels of this split: hidden); ask the organizers" in err) == (3, True)


def test_a_folder_of_a_benchmark_in_its_place_is_named_with_the_one_above(ivcr, tmp_path):
    folder = imported(tmp_path).folder
    for inside in (folder / "test", folder / "benchmark.json"):
        code, _, err = ivcr("data", "info", inside)
        assert (code, f"name the folder above it: {folder}" in err) == (3, True)
