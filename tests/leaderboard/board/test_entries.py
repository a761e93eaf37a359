"""Only what holds is shown: every disagreement is refused by name, and the rest is still read."""

import json
import shutil
from dataclasses import dataclass

import pytest

from baselines.running.parallel import JournalStore
from harness.errors import EnvironmentFailure
from leaderboard.board.own_figures import NAMED
from leaderboard.results.computed import RunResult
from tests.leaderboard import generated
from tests.leaderboard.conftest import read


@dataclass
class Three:
    submissions: object
    bench: object

    @property
    def victim(self):
        return sorted(self.submissions.glob("*/*"))[0]

    def refusals(self):
        return {row.key: row.reason for row in read(self.submissions, self.bench).refused}


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    root = tmp_path_factory.mktemp("three")
    generated.board(root, systems=2, floors_of=["none"])
    return root


@pytest.fixture
def three(original, tmp_path):
    """A board of three systems that a test may spoil."""
    shutil.copytree(original, tmp_path / "three")
    return Three(tmp_path / "three" / "submissions", generated.bench(tmp_path / "three/benchmark"))


class Honest(generated.TypedResults):
    """Stands in for a build that computed each run's figures before somebody typed others."""

    def __init__(self, folders):
        super().__init__()
        self.scores = {folder: (folder / "scores.json").read_bytes() for folder in folders}

    def read(self, key):
        return RunResult(key, self.scores[self.places[key]], 0)


def change(folder, *path, to):
    """Set one value of a scores.json."""
    file = folder / "scores.json"
    document = json.loads(file.read_text())
    inner = document
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = to
    file.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("path", "to", "says"),
    [
        (("schema",), 2, "schema: expected 1, found 2"),
        (("protocol",), "official", "protocol"),
        (("benchmark", "fingerprint"), "00" * 32, "fingerprint"),
        (("benchmark", "gold_sha256"), "00" * 32, "gold_sha256"),
        (("submission", "sha256"), "00" * 32, "sha256"),
        (("submission", "team"), "Somebody else", "Somebody else"),
        (("signature",), "ivcr|v:0.1.0|older scorer", "older scorer"),
        (("metrics",), {}, "metrics.all is missing"),
        (("metrics", "all", "R@1", "value"), 0.9, "value is 0.9, scored again"),
        (("metrics", "all", "R@1", "value"), 1.5, "value is 1.5, scored again"),
        (("metrics", "all", "R@1", "value"), "high", "expected a number or null"),
        (("metrics", "turn=5", "MRR", "turns"), -1, "turn=5"),
        (("metrics", "tag=time", "MRR", "note"), "x", "note"),
    ],
)
def test_a_scores_file_that_says_something_else_is_named_and_never_shown(three, path, to, says):
    runs = sorted(three.submissions.glob("*/*")) + sorted(three.bench.floors.glob("*/*"))
    results = Honest(runs)
    before = read(three.submissions, three.bench, results=results)
    assert before.differing == ()
    change(three.victim, *path, to=to)
    found = read(three.submissions, three.bench, results=results)
    assert [row.key for row in found.differing] == [
        f"{three.victim.parent.name}/{three.victim.name}"
    ]
    assert says in " ".join(found.differing[0].lines)
    assert [row.scores for row in found.entries] == [row.scores for row in before.entries]
    assert found.refused == before.refused


def test_of_many_differences_some_are_told_and_the_others_counted(three):
    results = Honest(sorted(three.submissions.glob("*/*")) + sorted(three.bench.floors.glob("*/*")))
    for part in ("all", "turn=1", "turn=2"):
        for metric in ("R@1", "R@5"):
            change(three.victim, "metrics", part, metric, "turns", to=7)
    (row,) = read(three.submissions, three.bench, results=results).differing
    assert len(row.lines) == NAMED + 1
    assert row.lines[-1] == "and 3 more differences"


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("card.toml", None, "cannot be read"),
        ("card.toml", b"team = ", "card.toml"),
        ("card.toml", b"\xff\xfe", "card.toml"),
        ("card.toml", b'team = "x"', "schema is missing"),
        ("card.toml", b"x" * (1 << 20) + b"x", "at most"),
    ],
)
def test_an_unreadable_file_is_refused(three, name, data, says):
    file = three.victim / name
    file.unlink()
    if data is not None:
        file.write_bytes(data)
    assert [says in reason for reason in three.refusals().values()] == [True]


def test_links_are_refused_and_never_followed(three, tmp_path):
    folder, outside = three.victim, tmp_path / "outside"
    shutil.copytree(folder, outside / "run")
    (three.submissions / "linked-team").symlink_to(outside)
    (three.submissions / "team").mkdir()
    (three.submissions / "team" / "linked-run").symlink_to(outside / "run")
    card = folder / "card.toml"
    card.unlink()
    card.symlink_to(outside / "run" / "card.toml")
    reasons = three.refusals()
    victim = f"{folder.parent.name}/{folder.name}"
    assert set(reasons) == {"linked-team", "team/linked-run", victim}
    assert "link" in reasons["linked-team"]
    assert "link out" in reasons[victim]


def test_a_submission_one_level_too_high_is_named(three):
    shutil.copytree(three.victim, three.submissions / "lonely")
    assert "level too high" in three.refusals()["lonely"]


def test_a_bad_floor_is_refused_too(three):
    (three.bench.floors / "random" / "none" / "card.toml").write_bytes(b"x")
    assert "floors/random/none" in three.refusals()


def test_the_journal_of_an_unfinished_run_is_no_submission(three):
    bench, team = three.bench, three.victim.parent
    before = read(three.submissions, bench)
    for out in (team / "unfinished", bench.floors / "random" / "own", team / "not begun"):
        JournalStore(out).folder.mkdir()
    for name in ("1-of-2.jsonl", "2-of-2.jsonl"):
        (team / "unfinished.run" / name).write_bytes(b"{}\n")
    assert read(three.submissions, bench) == before


def test_what_is_named_like_a_journal_and_holds_something_else_is_read(three):
    team = three.victim.parent
    shutil.copytree(three.victim, team / "mine.run")
    (team / "empty.run").mkdir()
    (team / "half.run").mkdir()
    (team / "half.run" / "predictions.jsonl").write_bytes(b"{}\n")
    keys = {f"{team.name}/half.run"}
    found = read(three.submissions, three.bench)
    assert {row.key for row in found.refused} == keys
    assert f"{team.name}/mine.run" in [entry.key for entry in found.entries]


def test_an_absent_folder_is_a_failed_environment(three, tmp_path):
    with pytest.raises(EnvironmentFailure, match="found none"):
        read(tmp_path / "nowhere", three.bench)


def test_the_reported_row_of_the_authors_is_apart_and_never_in_a_table(board):
    (row,) = board.found.reported
    assert row.card.system == "InterLLaVA"
    assert row.card.figures == {
        "R@1": 58.84,
        "R@1, IoU=0.5": 12.83,
        "R@1, IoU=0.7": 7.54,
        "BLEU-4": 0.42,
        "GPT-4 score": 0.76,
    }
    assert "InterLLaVA" not in {r.entry.card.system for table in board.tables for r in table.rows}


def test_rows_of_the_organizers_are_known_by_their_folder_not_by_what_they_say(three):
    found = read(three.submissions, three.bench, organizers=["team-1"])
    own = {entry.key.split("/")[0] for entry in found.entries if entry.own}
    assert own == {"team-1", "floors"}
    assert not any(e.own for e in read(three.submissions, three.bench).entries if not e.floor)
