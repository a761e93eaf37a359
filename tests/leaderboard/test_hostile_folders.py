"""A folder made to hurt is one refused entry with its reason; everything else goes on."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from harness.errors import SubmissionError
from harness.records import Card
from harness.scoring import score_to_files
from harness.submission import write
from leaderboard.board import run_folders
from leaderboard.results.board_split import BoardSplit
from tests.answers import same_videos
from tests.baselines.conftest import CAT, imported
from tests.leaderboard.html_reading import Page

NAMES = ("card.toml", "predictions.jsonl.zst", "scores.json", "scores.outcomes.npz")


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The toy benchmark and two scored runs."""
    root = tmp_path_factory.mktemp("sound")
    benchmark = imported(root)
    for team in ("bad", "good"):
        given = same_videos(benchmark.split().turns, (CAT,), response="yes")
        run = root / "board" / team / "run"
        run.parent.mkdir(parents=True)
        write(run, Card(1, team, team, "none", "unused"), given)
        score_to_files(run, benchmark)
    return root


@pytest.fixture
def board(sound, tmp_path, ivcr):
    """Copies that a test may spoil, and the commands on them."""
    shutil.copytree(sound / "board", tmp_path / "board")
    bad, good = (tmp_path / "board" / team / "run" for team in ("bad", "good"))
    where = ("--benchmark", sound / "toy")
    site = tmp_path / "site"
    return SimpleNamespace(
        folder=tmp_path / "board",
        bad=bad,
        good=good,
        site=site,
        build=lambda: ivcr("leaderboard", "build", tmp_path / "board", *where, "--out", site),
        verify=lambda: ivcr("leaderboard", "verify", tmp_path / "board", *where),
        commands={
            "validate": lambda: ivcr("validate", bad, *where),
            "score": lambda: ivcr("score", bad, *where),
            "compare": lambda: ivcr("compare", good, bad, *where),
            "items": lambda: ivcr("items", good, bad, *where),
        },
    )


def more_of_the_card(text):
    def do(board):
        with (board.bad / "card.toml").open("a") as stream:
            stream.write(text)

    return do


def in_place_of(name, data):
    return lambda board: (board.bad / name).write_bytes(data)


def entry(name, data):
    """Put an entry into the outcomes; the last of a name counts."""

    def do(board):
        with zipfile.ZipFile(board.bad / "scores.outcomes.npz", "a") as archive:
            archive.writestr(name, data)

    return do


def many_entries(board):
    with zipfile.ZipFile(board.bad / "scores.outcomes.npz", "a") as archive:
        for number in range(3000):
            archive.writestr(str(number), b"")


def zeros(board):
    path = board.bad / "scores.outcomes.npz"
    with np.load(path, allow_pickle=False) as kept:
        arrays = dict(kept)
    np.savez_compressed(path, **{**arrays, "table": np.zeros((64, 1 << 15))})


def invalid(board):
    """Predictions that break a rule."""
    (board.bad / "predictions.jsonl.zst").unlink()
    (board.bad / "predictions.jsonl").write_text('{"dialogue_id": "d", "turn": 1}\n')


def array(name, change):
    """Put what `change` makes of an array of the outcomes in its place."""

    def do(board):
        path = board.bad / "scores.outcomes.npz"
        with np.load(path, allow_pickle=False) as kept:
            arrays = dict(kept)
        np.savez_compressed(path, **{**arrays, name: change(arrays[name])})

    return do


def cell(**changed):
    """Change a figure of scores.json."""

    def do(board):
        document = json.loads((board.bad / "scores.json").read_text())
        document["metrics"]["all"]["R@1"] |= changed
        (board.bad / "scores.json").write_text(json.dumps(document))

    return do


def many_slices(board):
    document = json.loads((board.bad / "scores.json").read_text())
    cells = {"R@1": document["metrics"]["all"]["R@1"]}
    document["metrics"] |= {f"source=x{number}": cells for number in range(1000)}
    (board.bad / "scores.json").write_text(json.dumps(document))


def pipe(name):
    def do(board):
        (board.bad / name).unlink()
        os.mkfifo(board.bad / name)

    return do


def sparse(name):
    def do(board):
        with (board.bad / name).open("wb") as stream:
            stream.truncate(20 << 30)

    return do


DEEP_HEADER = b"\x93NUMPY\x01\x00" + (4001).to_bytes(2, "little") + b"-" * 4000 + b"\n"
ODD_HEADER = b"{'descr': '<f1', 'fortran_order': False, 'shape': (1,), }\n"
ODD_TYPE = b"\x93NUMPY\x01\x00" + len(ODD_HEADER).to_bytes(2, "little") + ODD_HEADER + b"x"
SUBMITTED = {
    "an integer of 5,000 digits": (more_of_the_card(f"seed = {'9' * 5000}\n"), "not TOML"),
    "3,000 nested arrays": (
        more_of_the_card("languages = " + "[" * 3000 + "]" * 3000), "16 deep"
    ),
    "a key 5,000 levels deep": (more_of_the_card("a." * 5000 + "a = 1\n"), "16 parts"),
    "no date of the calendar": (more_of_the_card('date = "2025-13-99"\n'), "calendar"),
    "a card of 20 GiB": (sparse("card.toml"), "at most 65,536 bytes"),
    "a card that is a pipe": (pipe("card.toml"), "expected a plain file, found a pipe"),
    "predictions that are not valid": (invalid, "predictions.jsonl:1"),
    "predictions that are a pipe": (pipe("predictions.jsonl.zst"), "found a pipe"),
}  # fmt: skip
SCORED = {
    "brackets": (in_place_of("scores.json", b"[" * 900_000), "16 deep"),
    "many values": (in_place_of("scores.json", b"[" + b"[]," * 1_000_001 + b"[]]"), "values"),
    "scores of 20 GiB": (sparse("scores.json"), "at most 4,194,304 bytes"),
    "scores that are a pipe": (pipe("scores.json"), "found a pipe"),
    "a header that recurses": (entry("sha256.npy", DEEP_HEADER), "sha256: expected an array"),
    "many entries": (many_entries, "at most 64 entries"),
    "an array of a type that there is not": (
        entry("split.npy", ODD_TYPE),
        "split: expected an array",
    ),
    "metrics that are one number": (array("metrics", lambda _: np.array(7)), "metrics: expected"),
    "starts that are text": (array("start", lambda found: found.astype(str)), "start: expected"),
    "starts of other metrics": (array("start", lambda found: found[:1]), "expected one start"),
    "a figure of very many turns": (cell(turns=2**63), "turns is 9223372036854775808, scored"),
    "very many slices": (many_slices, "a length of at most 1000"),
    "a bomb": (zeros, "another type or shape"),
    "outcomes that are a pipe": (pipe("scores.outcomes.npz"), "found a pipe"),
    "outcomes of 20 GiB": (sparse("scores.outcomes.npz"), "expected at most"),
}


@pytest.mark.parametrize("what", SUBMITTED)
def test_a_hostile_folder_is_one_refused_entry_and_the_rest_is_built(what, board):
    do, reason = SUBMITTED[what]
    do(board)
    code, out, err = board.build()
    assert code == 0
    assert "1 runs, 0 floors, 1 refused" in out
    (line,) = err.splitlines()
    assert line.startswith('refused: "bad/run": ')
    assert reason in line
    page = " ".join(Page((board.site / "index.html").read_text("utf-8")).text)
    assert "bad/run" in page
    assert reason in page
    assert str(board.folder) not in page
    code, out, err = board.verify()
    assert code == 1
    assert out.splitlines() == ['"good/run": 0 differences']
    assert '"bad/run": not compared' in err.splitlines()
    assert reason in err
    assert "1 disagreements" in err.splitlines()[-1]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("what", SCORED)
def test_what_hurts_in_scores_and_outcomes_moves_nothing_on_the_board(what, board):
    board.build()
    before = json.loads((board.site / "leaderboard.json").read_text())
    do, reason = SCORED[what]
    do(board)
    code, out, err = board.build()
    assert code == 0
    assert "2 runs, 0 floors, 0 refused" in out
    assert json.loads((board.site / "leaderboard.json").read_text()) == before
    assert len(err.splitlines()) == 1
    page = " ".join(Page((board.site / "index.html").read_text("utf-8")).text)
    assert reason in page
    assert str(board.folder) not in page
    code, out, err = board.verify()
    assert code == 1
    assert '"good/run": 0 differences' in out.splitlines()
    assert reason in err


@pytest.mark.parametrize("command", ["validate", "score", "compare", "items"])
@pytest.mark.parametrize("what", SUBMITTED)
def test_every_command_names_the_folder_and_the_reason(what, command, board):
    do, reason = SUBMITTED[what]
    do(board)
    code, out, err = board.commands[command]()
    assert code == 1
    assert reason in (out if command == "validate" else err)
    if command != "validate":
        assert err.startswith(f"ivcr: {board.bad}: not valid")
        assert len(err.splitlines()) == 1


def test_a_byte_order_mark_before_a_card_is_passed_over(board):
    card = board.bad / "card.toml"
    card.write_bytes(b"\xef\xbb\xbf" + card.read_bytes())
    for command in board.commands.values():
        assert command()[0] == 0
    assert board.build()[1].endswith("2 runs, 0 floors, 0 refused\n")


def test_a_folder_whose_name_is_no_text_is_refused_by_a_name_that_is(board):
    for place in (b"team\xff/run", b"good/run\xff"):
        shutil.copytree(board.good, os.fsdecode(os.fsencode(board.folder) + b"/" + place))
    code, out, err = board.build()
    assert (code, "2 runs, 0 floors, 2 refused" in out) == (0, True)
    assert [row.split(": ")[1] for row in err.splitlines()] == [
        r'"good/run\\xff"',
        r'"team\\xff"',
    ]
    assert "UTF-8" in err
    assert r"team\xff" in (board.site / "index.html").read_text("utf-8")
    assert board.verify()[0] == 1


@pytest.mark.parametrize("command", ["validate", "score"])
def test_the_path_of_a_folder_may_have_any_bytes(command, board, sound):
    odd = os.fsdecode(os.fsencode(board.folder.parent) + b"/odd\xff")
    shutil.copytree(board.good, odd)
    run = subprocess.run(
        [sys.executable, "-c", "from harness.cli import main; main()", command, odd,
         "--benchmark", sound / "toy"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert b"/odd\xff" in run.stdout


def test_a_team_of_very_many_runs_is_refused_as_one(board, monkeypatch):
    monkeypatch.setattr(run_folders, "MOST", 20)
    for number in range(20):
        (board.bad.parent / f"run-{number}").mkdir()
    code, out, err = board.build()
    assert (code, "1 runs, 0 floors, 1 refused" in out) == (0, True)
    assert 'refused: "bad": "expected at most 20 runs' in err


def test_a_team_that_cannot_be_listed_is_refused(board, monkeypatch):
    plain = os.scandir

    def refuse(path):
        if path == board.bad.parent:
            raise PermissionError(13, "Permission denied")
        return plain(path)

    monkeypatch.setattr(run_folders.os, "scandir", refuse)
    assert 'refused: "bad": "cannot be read: Permission denied"' in board.build()[2]


@pytest.mark.parametrize("place", [".", "site", "good/site", "good/../site"])
def test_a_site_is_not_built_among_the_submissions(place, board, sound, ivcr):
    where = ("--benchmark", sound / "toy", "--out", board.folder / place)
    code, _, err = ivcr("leaderboard", "build", board.folder, *where)
    assert (code, "taken for a team's" in err) == (2, True)
    assert sorted(path.name for path in board.folder.rglob("*") if path.is_dir()) == [
        "bad", "good", "run", "run",
    ]  # fmt: skip


@pytest.mark.parametrize("place", ["loop", "bad/loop"])
def test_a_link_to_itself_is_one_refused_entry(place, board):
    (board.folder / place).symlink_to("loop")
    code, out, err = board.build()
    assert (code, "2 runs, 0 floors, 1 refused" in out) == (0, True)
    assert err.splitlines() == [
        f'refused: "{place}": "the folder is a link; put the submission itself here"'
    ]


def test_files_beside_those_of_a_run_are_not_looked_at(board):
    for number in range(2000):
        (board.bad / f"x{number}").touch()
    (board.bad / ("y" * 255)).touch()
    (board.bad / "z").symlink_to("/nowhere")
    assert board.build()[1].endswith("2 runs, 0 floors, 0 refused\n")


def test_verify_goes_on_behind_a_folder_that_cannot_be_scored(board, monkeypatch):
    plain = BoardSplit.score_again

    def vanished(self, folder, *rest, **named):
        if folder == board.bad:
            raise SubmissionError("card.toml: changed while it was read")
        return plain(self, folder, *rest, **named)

    monkeypatch.setattr(BoardSplit, "score_again", vanished)
    code, out, err = board.verify()
    assert (code, out) == (1, '"good/run": 0 differences\n')
    assert err.splitlines()[:2] == [
        '"bad/run": "card.toml: changed while it was read"',
        '"bad/run": not compared',
    ]


def test_what_lacks_outcomes_is_named_at_the_end(board):
    (board.bad / "scores.outcomes.npz").unlink()
    code, out, err = board.verify()
    assert code == 0
    assert out.splitlines()[-1] == "2 scores.json agree with their predictions"
    assert err.startswith('"bad/run": has no scores.outcomes.npz')


@pytest.mark.parametrize("name", NAMES[:2])
def test_a_link_within_the_folder_is_followed_and_its_target_is_watched(name, board):
    (board.bad / "data").mkdir()
    (board.bad / name).rename(board.bad / "data" / "x")
    (board.bad / name).symlink_to("data/x")
    assert board.build()[1].endswith("2 runs, 0 floors, 0 refused\n")
    (board.bad / "data" / "x").write_bytes(b"spoilt")
    assert 'refused: "bad/run"' in board.build()[2]


def test_no_team_is_called_floors(board):
    shutil.copytree(board.good.parent, board.folder / "floors")
    assert 'refused: "floors": "floors is the name of the floors' in board.build()[2]
