"""Every command of docs/features.md runs, on files such as the page describes."""

import re
import shutil

import h5py
import numpy as np
import pytest

from baselines.features.import_report import length_lines, match_lines
from baselines.features.video_names import match_names
from harness.records import Video
from tests.baselines import tiny
from tests.baselines.conftest import VIDEOS, films, imported
from tests.baselines.features.folders import random_rows
from tests.cli.test_pages import FENCE, commands
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "features.md").read_text("utf-8")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with what the page names; it is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IVCR_CACHE", str(tmp_path / "cache"))
    imported(tmp_path, name="made", filmed=True)
    (tmp_path / "made.json").rename("IVCR-200K.json")
    (tmp_path / "made.meta.json").rename("META")
    tiny.clip(tmp_path / "CHECKPOINT")
    names = {video_id: video_id.split("/")[1].removesuffix(".mp4") for video_id in VIDEOS}
    (tmp_path / "vectors").mkdir()
    with h5py.File("clip.h5", "w") as file:
        for video_id, (duration, _) in VIDEOS.items():
            seconds, name = int(duration or 12), names[video_id]
            [rows] = random_rows({name: seconds}, 8).values()
            file[name] = rows.astype(np.float16)
            np.savez(tmp_path / "vectors" / name, features=rows[::2])
    return tmp_path


@pytest.mark.slow
def test_every_command_runs_and_the_example_in_python(ivcr, place, capsys):
    lines = commands(PAGE)
    assert [line[:2] for line in lines] == [
        ["data", "import"], ["features", "import"], ["features", "info"], ["features", "import"],
        ["features", "build"], ["features", "build"],
    ]  # fmt: skip
    for words in lines:
        expanded = [path for word in words for path in
                    (sorted(map(str, place.glob(word))) if "*" in word else [word])]  # fmt: skip
        code, _, err = ivcr(*expanded)
        assert code == 0, (words, err)
        if words[0] == "data":
            shutil.copytree(place / "made" / "videos", place / "B" / "videos")
    [example] = FENCE.findall(PAGE)
    exec(compile(example, "features.md", "exec"), {"__name__": "example"})
    printed = capsys.readouterr().out
    assert 'features "clip", "vectors": 4 videos, 82 rows of 16' in printed
    assert re.search(r"^A/cat.mp4 \(10, 16\) \[ *500 +1500 ", printed, re.MULTILINE)
    assert sorted(VIDEOS) == sorted(re.findall(r"^(\S+\.mp4) \(", printed, re.MULTILINE))
    assert set(films()) == set(VIDEOS)


def test_the_lines_that_the_page_shows_are_those_that_an_import_says():
    shown = re.findall(r"^    (\d.*)$", PAGE, re.MULTILINE)
    assert len(shown) == 3
    videos = {name: Video(name, 67_000) for name in ("A/v_x.mp4", "A/v_y.mp4")}
    matches = match_names(["v_x"], videos)
    times = {"A/v_x.mp4": np.arange(500, 200_000, 1000)}
    said = [*match_lines(matches, videos), *length_lines(times, 1.0, videos)]
    for line, of_page in zip(said, shown, strict=True):
        start = re.sub(r"[\d,]+", "N", of_page.partition(":")[0])
        assert re.sub(r"[\d,]+", "N", line).startswith(start)
