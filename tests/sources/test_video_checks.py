"""META against the dialogues and the files: ids, paths, durations; where videos may lie."""

import json
from pathlib import Path

import pytest

from baselines.video.video_files import locate_files
from harness.benchmark import VIDEOS_ROOT, Benchmark, VideoFolder
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.records import Video
from harness.sources.importing import ImportSettings, import_files
from leaderboard.results.frame_strips import frame_strip
from tests.baselines.conftest import CAT, DOG, FOX, films
from tests.sources.test_ivcr200k import dialogue, human, moment, video

ASKED = dialogue(human("a"), video(CAT, None), human("b"), video(DOG, None))


@pytest.fixture
def elsewhere(tmp_path):
    """A folder on another disk, as it were: one video, one linked in from a third place."""
    folder, third = tmp_path / "disk" / "videos", tmp_path / "third"
    folder.mkdir(parents=True)
    third.mkdir()
    (folder / "cat.mp4").write_bytes(films()[CAT])
    (third / "blob").write_bytes(films()[DOG])
    (folder / "dog.mp4").symlink_to(third / "blob")
    return folder


@pytest.fixture
def made(tmp_path):
    """Import ASKED with these lines of META: the benchmark, its oddities by code."""

    def run(*meta, **options):
        (tmp_path / "data.json").write_text(json.dumps([ASKED]))
        (tmp_path / "meta.json").write_text(json.dumps(list(meta)))
        settings = ImportSettings("toy", **options.pop("settings", {}))
        found = import_files([tmp_path / "data.json"], tmp_path / "toy", settings,
                             videos=tmp_path / "meta.json", **options)  # fmt: skip
        return Benchmark(tmp_path / "toy").checked(), {row.code: row for row in found.oddities}

    return run


def cat(**more):
    return {"video_id": CAT, "duration": 10.0, **more}


def dog(**more):
    return {"video_id": DOG, "duration": 20.0, **more}


def test_without_a_named_folder_paths_that_leave_the_benchmark_are_counted_and_not_read(
    made, elsewhere
):
    benchmark, odd = made(cat(path=str(elsewhere / "cat.mp4")), dog(path="../third/blob"))
    assert (odd["outside-path"].count, "--videos-root" in odd["outside-path"].treatment) == (
        2,
        True,
    )
    assert odd["outside-path"].examples[0].startswith(f'"{CAT}", at "')
    found, skipped = locate_files(benchmark.videos, benchmark.folder)
    assert found == {}
    assert {reason.partition(":")[0] for reason in skipped.values()} == {"path leaves the folder"}
    assert frame_strip(benchmark, CAT) is None


@pytest.mark.parametrize("form", ["relative", "absolute"])
def test_below_a_named_folder_videos_are_read_from_any_disk(made, elsewhere, form):
    place = {"relative": "", "absolute": f"{elsewhere}/"}[form]
    benchmark, odd = made(
        cat(path=f"{place}cat.mp4"), dog(path=f"{place}dog.mp4"), videos_root=elsewhere
    )
    assert odd == {}
    found, skipped = locate_files(benchmark.videos, benchmark.folder)
    assert skipped == {}
    assert {name: path.read_bytes() for name, path in found.items()} == {
        CAT: films()[CAT], DOG: films()[DOG],
    }  # fmt: skip
    assert frame_strip(benchmark, CAT) is not None
    assert (benchmark.folder / VIDEOS_ROOT).read_text() == f"{elsewhere}\n"


@pytest.mark.parametrize("path", ["../secret.mp4", "sub/../../secret.mp4", "{root}/../secret.mp4"])
def test_a_path_that_leaves_the_named_folder_is_refused(made, elsewhere, path):
    (elsewhere.parent / "secret.mp4").write_bytes(films()[CAT])
    benchmark, odd = made(
        cat(path=path.format(root=elsewhere)), dog(path="dog.mp4"), videos_root=elsewhere
    )
    assert odd["outside-path"].count == 1
    assert CAT not in locate_files(benchmark.videos, benchmark.folder)[0]


def test_the_named_folder_may_be_relative_and_a_link(made, elsewhere, tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to(elsewhere)
    monkeypatch.chdir(tmp_path)
    absolute = str(elsewhere / "cat.mp4")
    benchmark, odd = made(cat(path=absolute), dog(path="dog.mp4"), videos_root=Path("link"))
    assert odd == {}
    monkeypatch.chdir("/")
    assert set(locate_files(benchmark.videos, benchmark.folder)[0]) == {CAT, DOG}


def test_the_fingerprint_does_not_depend_on_where_videos_lie(made, elsewhere, tmp_path):
    here, _ = made(cat(path="cat.mp4"), dog())
    (tmp_path / "toy").rename(tmp_path / "before")
    there, _ = made(cat(path="cat.mp4"), dog(), videos_root=elsewhere)
    assert here.header.fingerprint == there.header.fingerprint


def test_a_named_folder_that_is_none_is_said_at_import_and_in_a_run(made, elsewhere, tmp_path):
    with pytest.raises(EnvironmentFailure, match="nowhere: expected the folder of the videos"):
        made(cat(), videos_root=tmp_path / "nowhere")
    assert not (tmp_path / "toy").exists()
    benchmark, _ = made(cat(), videos_root=elsewhere)
    for text in (str(tmp_path / "gone"), "videos", ""):
        (benchmark.folder / VIDEOS_ROOT).write_text(text)
        with pytest.raises(EnvironmentFailure, match="expected the full path of the folder"):
            VideoFolder(benchmark.folder)


def test_in_the_benchmarks_own_folder_links_may_not_leave_it(made, elsewhere):
    benchmark, _ = made(cat())
    (benchmark.folder / "cat.mp4").symlink_to(elsewhere / "cat.mp4")
    assert "leaves" in VideoFolder(benchmark.folder).find(Video(CAT, path="cat.mp4"))


@pytest.mark.parametrize("other", ["A/cat", "cat.mp4", "A\\cat.mkv", "videos/A/CAT.mp4", "cat"])
def test_ids_that_differ_by_ending_folders_or_capitals_are_named_with_what_to_do(made, other):
    _, odd = made({"video_id": other, "duration": 10.0}, dog())
    assert odd["no-metadata"].count == odd["near-metadata"].count == 1
    shown = json.dumps(other)
    assert odd["near-metadata"].examples == [f'"{CAT}", in META {shown}']
    assert "write META's ids as the dialogues do" in odd["near-metadata"].line()
    assert odd["unnamed-metadata"].examples == [shown]


def test_meta_that_describes_every_video_and_more_is_not_odd(made):
    assert made(cat(), dog(), {"video_id": "A/cat"}, {"video_id": FOX})[1] == {}


def test_other_ids_are_no_other_spelling(made):
    _, odd = made({"video_id": "A/cats.mp4"}, dog())
    assert "near-metadata" not in odd
    assert odd["unnamed-metadata"].count == 1


@pytest.mark.parametrize(
    ("duration", "code"),
    [
        (10_000, "duration-milliseconds"),
        (10_004.5, "duration-milliseconds"),
        (11.2, "other-duration"),
        (8.8, "other-duration"),
        (10.9, None),
        (9.1, None),
        (None, None),
    ],
)
def test_durations_that_contradict_the_files_are_counted_and_named(made, elsewhere, duration, code):
    _, odd = made(cat(path="cat.mp4") | {"duration": duration}, dog(path="dog.mp4"),
                  videos_root=elsewhere)  # fmt: skip
    assert list(odd) == ([] if code is None else [code])
    if code is not None:
        (place,) = odd[code].examples
        assert place == f'"{CAT}", {duration:,.1f} s for 10.0 s'


def test_files_that_are_missing_or_broken_are_no_bar_to_an_import(made, elsewhere):
    (elsewhere / "cat.mp4").write_bytes(b"no video")
    _, odd = made(cat(path="cat.mp4"), dog(path="gone.mp4"), videos_root=elsewhere)
    assert {code: row.count for code, row in odd.items()} == {"missing-file": 1}
    assert odd["missing-file"].examples == [f'"{DOG}", at "gone.mp4"']


@pytest.mark.parametrize(
    ("duration", "moments", "odd"),
    [(30_000.0, 10, True), (30_000.0, 9, False), (500.0, 10, False), (None, 10, False)],
)
def test_durations_that_no_moment_comes_near_are_named_without_files(
    tmp_path, duration, moments, odd
):
    turns = [turn for n in range(moments) for turn in (human("when"), moment([n, n + 1], CAT))]
    (tmp_path / "data.json").write_text(json.dumps([dialogue(*turns)]))
    (tmp_path / "meta.json").write_text(json.dumps([{"video_id": CAT, "duration": duration}]))
    found = import_files([tmp_path / "data.json"], tmp_path / "toy", ImportSettings("toy"),
                         videos=tmp_path / "meta.json")  # fmt: skip
    rows = {row.code: row for row in found.oddities}
    assert ("far-durations" in rows) == odd
    if odd:
        line = rows["far-durations"].line()
        assert f'"{CAT}", 30,000.0 s, moment to 10.0 s' in line
        assert "divide them by 1000" in line


@pytest.mark.parametrize(
    ("settings", "options", "named"),
    [({}, {"videos_root": Path()}, "--videos-root"), ({"corpus": "all"}, {}, "--corpus all")],
)
def test_options_of_meta_are_refused_without_it(tmp_path, settings, options, named):
    (tmp_path / "data.json").write_text(json.dumps([ASKED]))
    with pytest.raises(WrongUsageError, match=f"{named} is about the videos of META; name META"):
        import_files([tmp_path / "data.json"], tmp_path / "toy",
                     ImportSettings("toy", **settings), **options)  # fmt: skip
    assert not (tmp_path / "toy").exists()
