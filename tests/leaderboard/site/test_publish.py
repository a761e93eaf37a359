"""Publishing from Python: a site, a verification and dialogues, without the command line."""

import os
import subprocess
import sys

import pytest

from harness.errors import EnvironmentFailure, SubmissionError
from harness.records import Card
from harness.scoring import score, write_scores
from harness.submission import write
from leaderboard.results import dialogue_source
from leaderboard.results.board_split import BoardSplit
from leaderboard.site.publish import build_site
from leaderboard.tables.verification import verify
from tests.answers import same_videos
from tests.baselines.conftest import CAT, DOG, imported
from tests.leaderboard.site.test_builder import tree

SCRIPT = """
import sys
from pathlib import Path
from leaderboard.results.board_split import BoardSplit
from leaderboard.site.publish import build_site
from leaderboard.tables.verification import verify
submissions, benchmark, out = map(Path, sys.argv[1:])
print(build_site(submissions, benchmark, out))
print(verify(submissions, benchmark).compared)
print(len(list(BoardSplit(benchmark).dialogues().read([]))))
print([name for name in sys.modules if name.startswith(("harness.cli", "click", "torch"))])
"""


@pytest.fixture
def folders(tmp_path):
    """A run that ranks cat first in every video turn, scored; its benchmark; a place for a site."""
    benchmark = imported(tmp_path)
    given = same_videos(benchmark.split().turns, (CAT, DOG))
    run = tmp_path / "submissions" / "team" / "run"
    run.parent.mkdir(parents=True)
    write(run, Card(1, "team", "cat first", "none", "unused"), given)
    write_scores(score(run, benchmark), run / "scores.json")
    return tmp_path / "submissions", benchmark.folder, tmp_path / "site"


def test_a_script_builds_verifies_and_reads_dialogues_without_the_command_line(folders):
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, folders)],
        capture_output=True,
        text=True,
        check=True,
    )
    site, compared, dialogues, loaded = run.stdout.splitlines()
    assert site.startswith(f"{folders[2] / 'index.html'}: ")
    assert site.endswith(" 1 runs, 0 floors, 0 refused")
    assert (compared, dialogues, loaded) == ("1", "3", "[]")


def test_verification_names_what_does_not_agree(folders):
    submissions, benchmark, _ = folders
    scores = submissions / "team" / "run" / "scores.json"
    scores.write_text(scores.read_text().replace('"turns": 3', '"turns": 2', 1))
    found = verify(submissions, benchmark)
    assert found.compared == 1
    assert [line for line in found.disagreements if "turns is 2, scored again 3" in line]
    with pytest.raises(SubmissionError, match="found 1 disagreements"):
        found.require_agreement(submissions)


def test_a_split_without_gold_is_a_failed_environment(folders):
    with pytest.raises(EnvironmentFailure, match="expected a split 'tset'"):
        BoardSplit(folders[1], "tset")


def test_a_refused_folder_is_returned(folders):
    submissions, benchmark, out = folders
    (submissions / "team" / "empty").mkdir()
    assert [refusal.key for refusal in build_site(submissions, benchmark, out).refused] == [
        "team/empty"
    ]


def test_frames_are_decoded_again_only_where_a_video_changed(tmp_path, monkeypatch):
    benchmark = imported(tmp_path, filmed=True)
    submissions, out = tmp_path / "submissions", tmp_path / "site"
    decoded = []
    whole = dialogue_source.frame_strip

    def counted(of, video_id):
        decoded.append(video_id)
        return whole(of, video_id)

    monkeypatch.setattr(dialogue_source, "frame_strip", counted)

    def put(name, videos):
        given = same_videos(benchmark.split().turns, videos)
        write(submissions / "team" / name, Card(1, "team", name, "none", "unused"), given)

    put("one", [CAT])
    build_site(submissions, benchmark.folder, out)
    first = tree(out)
    assert decoded
    decoded.clear()
    put("two", [DOG])  # the pages of dialogues change, and show the same frames
    build_site(submissions, benchmark.folder, out)
    assert [name for name in decoded if name in (CAT, DOG)] == []
    build_site(submissions, benchmark.folder, tmp_path / "anew")
    assert tree(out) == tree(tmp_path / "anew")
    frames = {path for path in first if path.endswith(".jpg")}
    assert frames
    assert {path: tree(out)[path] for path in frames} == {path: first[path] for path in frames}
    decoded.clear()
    os.utime(benchmark.folder / benchmark.videos[CAT].path, ns=(1, 1))
    build_site(submissions, benchmark.folder, out)
    assert CAT in decoded
