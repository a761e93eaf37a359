"""A benchmark in Croissant 1.1: what `mlcroissant` reads of it, and what it never says."""

import hashlib
import json
import os
import shutil

import pytest

from harness.benchmark import Benchmark
from harness.croissant import describe
from harness.croissant.document import semantic_version
from harness.errors import EnvironmentFailure
from harness.public_copy import publish
from harness.public_copy.standing import standing
from tests.baselines.conftest import ask, dialogue, imported
from tests.croissant.conftest import ABOUT, EVENTS
from tests.croissant.reader import read


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def files(document):
    return {
        node["@id"]: node
        for node in document.node["distribution"]
        if node["@type"] == "cr:FileObject"
    }


@pytest.fixture(scope="module")
def reading(described, tmp_path_factory):
    """What mlcroissant reads of the folder with public labels."""
    folder = tmp_path_factory.mktemp("reading") / "toy"
    shutil.copytree(described.folder, folder)
    (folder / "croissant.json").write_bytes(describe(described).data())
    return read(folder / "croissant.json")


def test_the_library_loads_it_as_version_1_1_without_errors_or_warnings(reading):
    assert reading["version"] == "http://mlcommons.org/croissant/1.1"
    assert reading["issues"] == []


@pytest.mark.parametrize("name", ["turns", "gold", "candidates", "reference"])
def test_records_are_the_lines_of_the_file(name, reading, described):
    for split in described.header.splits:
        expected = lines(described.folder / split / f"{name}.jsonl")
        assert expected
        records = reading["records"][f"{split}/{name}"]
        assert records == [{"split": split} | line for line in expected]


def test_videos_corpora_and_splits_are_records(reading, described):
    known = described.videos.values()
    for record, video in zip(reading["records"]["videos"], known, strict=True):
        assert record["video_id"] == video.video_id
        seconds = None if video.duration is None else video.duration / 1000
        assert record["duration"] == seconds
        assert (record["path"], record["text"]["title"]) == (video.path, video.text["title"])
    for split in described.header.splits:
        records = reading["records"][f"{split}/corpus"]
        assert tuple(row["video_id"] for row in records) == described.split(split).corpus
    assert {row["name"] for row in reading["records"]["splits"]} == set(described.header.splits)


def test_annotated_events_are_records_with_inner_records(reading):
    for record, line in zip(reading["records"]["train/events"], EVENTS, strict=True):
        assert (record["video_id"], record["background"]) == (line["video_id"], line["background"])
        assert [{key: value for key, value in event.items() if value is not None}
                for event in record["events"]] == line["events"]  # fmt: skip


def test_sizes_and_hashes_are_those_of_the_files(described):
    found = files(describe(described))
    assert set(found) == {
        path.relative_to(described.folder).as_posix()
        for path in described.folder.rglob("*")
        if path.is_file() and not {"source", "videos"} & set(path.parts)
    }
    for name, node in found.items():
        data = (described.folder / name).read_bytes()
        assert node["sha256"] == hashlib.sha256(data).hexdigest()
        assert node["contentSize"] == f"{len(data)} B"


def test_the_patterns_of_the_file_set_find_the_videos(described):
    (node,) = (each for each in describe(described).node["distribution"]
               if each["@type"] == "cr:FileSet")  # fmt: skip
    found = {path for pattern in node["includes"] for path in described.folder.glob(pattern)}
    wanted = {described.folder / video.path for video in described.videos.values()}
    assert found == {path for path in wanted if path.exists()}
    assert found


def test_what_the_makers_say_is_there_and_what_nobody_says_is_named(described, hidden):
    document = describe(described)
    assert document.lacking == ()
    assert document.node["license"] == ABOUT["licence"]
    assert document.node["datePublished"] == "2026-02-03"
    assert document.node["creator"] == [{"@type": "sc:Organization", "name": "The makers"}]
    unsaid = describe(hidden)
    assert unsaid.lacking == ("licence", "citation", "url", "published", "creators")
    assert not {"license", "citeAs", "url", "datePublished", "creator"} & set(unsaid.node)


def test_the_library_asks_for_no_more_than_is_named_as_lacking(hidden, public, tmp_path):
    copy = shutil.copytree(public.folder, tmp_path / "copy")
    (copy / "croissant.json").write_bytes(describe(hidden).data())
    found = read(copy / "croissant.json")
    text = " ".join(found["issues"])
    asked = {"citeAs", "datePublished", "license", "version"}
    assert {name for name in asked if name in text} == asked - {"version"}
    assert len(found["records"]["test/turns"]) == len(public.split("test").turns)


def test_a_benchmark_and_its_public_copy_give_the_same_bytes(hidden, public):
    own, copy = describe(hidden), describe(public)
    assert own.data() == copy.data() == describe(Benchmark(hidden.folder)).data()
    assert (own.is_of_copy, copy.is_of_copy) == (True, False)


def test_nothing_of_hidden_labels_is_in_it(hidden):
    text = describe(hidden).data().decode()
    assert "train/gold" in text
    for split in ("val", "test"):
        assert f"{split}/turns" in text
        assert f"{split}/gold" not in text
        assert f"{split}/reference" not in text
        assert hidden.header.gold_sha256[split] not in text
    for source in hidden.header.sources:
        assert source.sha256 not in text
        assert source.file not in text


def test_other_labels_leave_its_bytes_as_they_are(hidden, tmp_path):
    folder = shutil.copytree(hidden.folder, tmp_path / "b")
    before = describe(Benchmark(folder)).data()
    gold = folder / "test/gold.jsonl"
    gold.write_bytes(b"".join(reversed(gold.read_bytes().splitlines(keepends=True))))
    assert describe(Benchmark(folder)).data() == before


def test_changed_files_are_refused(described, tmp_path):
    folder = shutil.copytree(described.folder, tmp_path / "b")
    gold = folder / "test/gold.jsonl"
    gold.write_bytes(gold.read_bytes() + b"\n")
    with pytest.raises(EnvironmentFailure, match=r"gold\.jsonl: changed since the import"):
        describe(Benchmark(folder))


def test_a_description_may_be_handed_out_unless_it_lists_labels_that_are_hidden_now(
    hidden, public, tmp_path
):
    copy = shutil.copytree(public.folder, tmp_path / "copy")
    (copy / "croissant.json").write_bytes(describe(hidden).data())
    assert standing(Benchmark(copy)).findings == ()
    open_labels = publish(hidden, tmp_path / "open", hide=["none"]).folder
    (copy / "croissant.json").write_bytes(describe(Benchmark(open_labels)).data())
    found = standing(Benchmark(copy)).findings
    assert [(each.file, "lists files with labels" in each.what) for each in found] == [
        ("croissant.json", True), ("croissant.json", True),
    ]  # fmt: skip


def test_a_published_copy_never_takes_over_a_description(hidden, tmp_path):
    own = Benchmark(shutil.copytree(hidden.folder, tmp_path / "own"))
    (own.folder / "croissant.json").write_text("{}")
    copy = publish(own, tmp_path / "copy")
    assert "croissant.json" in copy.left_out
    assert not (copy.folder / "croissant.json").exists()


def test_only_a_rendered_world_is_called_synthetic(tmp_path):
    """The name alone does not make a benchmark IVCR-Mini."""
    for place, known in (("rendered", ("MiniLong", "MiniShort")), ("filmed", ("A", "B"))):
        videos = {f"{known[at % 2]}/{at}.mp4": (9.0, {}) for at in range(4)}
        talk = [dialogue(ask("a cat", next(iter(videos)), tuple(videos)))]
        (tmp_path / place).mkdir()
        imported(tmp_path / place, talk, "mini", videos)
        node = describe(Benchmark(tmp_path / place / "mini")).node
        assert ("rai:hasSyntheticData" in node) == (place == "rendered")
        assert node["inLanguage"] == ["en"]
        assert node["rai:dataCollection"].startswith(
            "Nothing was collected" if place == "rendered" else "Imported from files of others"
        )


@pytest.mark.real
def test_the_library_reads_all_of_ivcr_mini(tmp_path):
    given = os.environ.get("IVCR_MINI")
    if given is None:
        pytest.skip("needs IVCR-Mini: make test-real, or IVCR_MINI=FOLDER")
    folder = shutil.copytree(given, tmp_path / "mini", ignore=shutil.ignore_patterns("*.mp4"))
    mini = Benchmark(folder)
    (folder / "croissant.json").write_bytes(describe(mini).data())
    found = read(folder / "croissant.json")
    assert found["issues"] == []
    for split in mini.header.splits:
        expected = lines(folder / split / "turns.jsonl")
        assert found["records"][f"{split}/turns"] == [{"split": split} | row for row in expected]
        assert len(found["records"][f"{split}/gold"]) == len(mini.gold(split))
    assert len(found["records"]["train/events"]) == len(mini.split("train").corpus)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1", "1.0.0"),
        ("1.seed7.train24", "1.0.0+seed7.train24"),
        ("2.3.4", "2.3.4"),
        ("2.3.4-rc.1+b", "2.3.4-rc.1+b"),
        ("july", "july"),
    ],
)
def test_versions_are_semantic_where_they_can_be(version, expected):
    assert semantic_version(version) == expected
