"""A folder of another level than SUBMISSIONS is one line that says which one is meant."""

import shutil

import pytest

from harness.errors import WrongUsageError
from tests.leaderboard import generated
from tests.leaderboard.conftest import read


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("levels")
    generated.board(root, systems=2, floors_of=["none"])
    (root / "empty").mkdir()
    (root / "loose").mkdir()
    (root / "loose" / "predictions.jsonl").write_text("")
    (root / "mini").mkdir()
    (root / "mini" / "benchmark.json").write_text("{}")
    return root


def found(root, folder, **settings):
    return read(folder, generated.bench(root / "benchmark"), **settings)


LEVELS = {
    "submissions/team-1": "found a team's folder; name the folder above it: {root}/submissions",
    "submissions/team-1/run-1-none": "found one submission; name the folder of all teams: "
    "{root}/submissions",
    "mini": "found a benchmark; name it as --benchmark",
    "loose": "found none in it; put each submission into a folder of its own",
    ".": "found a folder above it; name {root}/./submissions",
}


@pytest.mark.parametrize("folder", LEVELS)
def test_another_level_is_refused_with_the_one_that_is_meant(folder, root):
    with pytest.raises(WrongUsageError) as caught:
        found(root, root / folder)
    assert LEVELS[folder].format(root=root).replace("/./", "/") in str(caught.value)


def test_a_folder_with_nothing_in_it_makes_a_first_board_of_floors(root):
    (root / "empty" / ".DS_Store").write_bytes(b"")
    made = found(root, root / "empty")
    assert made.entries
    assert all(entry.floor for entry in made.entries)


def test_organizers_of_nobody_are_refused_with_a_suggestion(root):
    for name, says in (("team-11", 'did you mean "team-1"?'), ("nobody", 'it has "team-1"')):
        with pytest.raises(WrongUsageError, match="has no team's folder of that name") as caught:
            found(root, root / "submissions", organizers=[name])
        assert says in str(caught.value)


def test_leftovers_are_no_teams_no_runs_and_no_part_of_a_journal(root, tmp_path):
    shutil.copytree(root, tmp_path / "copy")
    submissions = tmp_path / "copy" / "submissions"
    before = found(tmp_path / "copy", submissions)
    for place in (submissions / "__MACOSX" / "run", submissions / "team-1" / "__MACOSX"):
        place.mkdir(parents=True)
        (place / "._card.toml").write_bytes(b"\0")
    journal = submissions / "team-1" / "next.run"
    journal.mkdir()
    (journal / "1-of-1.jsonl").write_bytes(b"")
    for place in (
        submissions,
        submissions / "team-1",
        journal,
        submissions / "team-1" / "run-1-none",
    ):
        for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
            (place / name).write_bytes(b"\0")
    after = found(tmp_path / "copy", submissions)
    assert [entry.key for entry in after.entries] == [entry.key for entry in before.entries]
    assert after.refused == before.refused
