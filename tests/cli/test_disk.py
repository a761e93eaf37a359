"""Every command that writes, on a disk that is full or read-only, and killed at any step."""

import json
import os
import shutil
import signal
from importlib import import_module
from pathlib import Path

import pytest

from tests.baselines.conftest import SAMPLES, imported
from tests.replacement.kills import (
    command,
    fill,
    forked,
    killed_at,
    left_by_a_killed_process,
    own_disk,
    small_files,
    tree,
)

NO_CHAT = [sample for sample in SAMPLES if sample["type"] != [0]]
# Loaded once, so that a forked command need not.
LOADED = (
    "baselines.floors.random", "baselines.retrievers.bm25", "baselines.running.run",
    "harness.audit", "harness.comparison", "harness.formats", "harness.protocols.scores",
    "leaderboard.site.publish", "leaderboard.tables.verification", "scipy.stats",
)  # fmt: skip
RESULT = json.dumps([{"user_q": "a sleeping cat", "output": "It is video 1."}])


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A folder with a benchmark, two scored runs, files to convert and import, and a site."""
    for module in LOADED:
        import_module(module)
    root = tmp_path_factory.mktemp("world")
    benchmark = imported(root, NO_CHAT).folder
    for history in ("none", "own"):
        run = root / "submissions" / "house" / history
        run.parent.mkdir(parents=True, exist_ok=True)
        good("baseline", "run", "bm25", "--benchmark", benchmark, "--history", history,
             "--out", run)  # fmt: skip
        good("score", run, "--benchmark", benchmark)
    (root / "result.json").write_text(RESULT)
    (root / "trec").write_text(f"{dialogue(benchmark)}/1 Q0 A/cat.mp4 1 1 x\n")
    build = ("leaderboard", "build", root / "submissions", "--benchmark", benchmark)
    good(*build, "--out", root / "site")
    return root


def dialogue(benchmark):
    first = (benchmark / "test" / "turns.jsonl").read_text("utf-8").splitlines()[0]
    return json.loads(first)["dialogue_id"]


def good(*arguments):
    found = command(*arguments)
    assert found[0] == 0, found


@pytest.fixture
def disk(world, tmp_path):
    """A copy of the world for one test."""
    shutil.copytree(world, tmp_path / "disk")
    return tmp_path / "disk"


# By name a command, its words with the place of the disk as {}.
BENCHMARK = "--benchmark {}/toy"
COMMANDS = {
    "score": f"score {{}}/submissions/house/own {BENCHMARK}",
    "score --out": f"score {{}}/submissions/house/own {BENCHMARK} --out {{}}/scores.json",
    "official": f"score {{}}/result.json --protocol official {BENCHMARK} --out {{}}/official.json",
    "audit": f"audit {{}}/result.json {BENCHMARK} --out {{}}/audit.txt",
    "import": "data import {}/toy.json --videos {}/toy.meta.json --out {}/imported",
    "init": f"submission init {{}}/started {BENCHMARK}",
    "convert": f"submission convert trec {{}}/trec {BENCHMARK} --out {{}}/converted",
    "run": f"baseline run bm25 {BENCHMARK} --history none --out {{}}/ran",
    "floors": f"baseline run --floors {BENCHMARK} --history none",
    "build": f"leaderboard build {{}}/submissions {BENCHMARK} --out {{}}/new-site",
    "build again": f"leaderboard build {{}}/submissions {BENCHMARK} --out {{}}/site "
    "--organizers house",
}  # fmt: skip


def words(name, disk):
    return [word.format(disk) for word in COMMANDS[name].split()]


def check_refusal(found, before, after):
    """One line on standard error with place, finding and next step; the disk is as it was."""
    code, _, err = found
    assert code == 3, found
    (line,) = err.splitlines()
    assert line.startswith("ivcr: "), line
    assert " cannot be written: " in line, line
    assert any(step in line for step in ("; make room", "; allow ")), line
    assert "toy.json" not in line, "the source is not to blame"
    # What was answered or scored stays, for the same command to go on with; no half file does.
    goes_on = ("ran.run", "new-site.results", "site.results")
    new = {path for path in after.keys() - before.keys() if not path.startswith(goes_on)}
    assert not [path for path in new if path.endswith(".part")]
    assert (new, {path for path in before if after.get(path) != before[path]}) == (set(), set())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_limit_of_the_disk_ends_in_one_line_and_changes_nothing(name, disk):
    before = tree(disk)
    found = command(*words(name, disk), before=small_files)
    check_refusal(found, before, tree(disk))


@pytest.mark.parametrize("kind", ["full", "read-only"])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_real_disk_that_takes_nothing_ends_in_one_line_and_changes_nothing(
    name, kind, world, tmp_path
):
    disk = tmp_path / "disk"
    disk.mkdir()

    def run():
        if reason := own_disk(disk, "size=16m"):
            return reason
        shutil.copytree(world, disk, dirs_exist_ok=True)
        if kind == "full":
            fill(disk)
        elif os.system(f"mount -o remount,ro '{disk}'"):
            return "cannot be mounted again"
        before = tree(disk)
        return command(*words(name, disk)), before, tree(disk)

    found = forked(run)
    if isinstance(found, str):
        assert "Traceback" not in found, found
        pytest.skip(f"needs the right to mount a small disk: {found}")
    check_refusal(*found)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which is not here")
@pytest.mark.parametrize("line", [
    f"score {{}}/submissions/house/own {BENCHMARK}",
    f"compare {{}}/submissions/house/own {{}}/submissions/house/none {BENCHMARK}",
    f"audit {{}}/result.json {BENCHMARK} --format json",
    f"leaderboard build {{}}/submissions {BENCHMARK} --out {{}}/site",
    f"leaderboard verify {{}}/submissions {BENCHMARK}",
    "data info {}/toy",
    "data import {}/toy.json --out {}/imported",
    "baseline list",
    "metrics",
    "--help",
])  # fmt: skip
def test_a_full_disk_under_standard_output_is_one_line(line, disk):
    found = command(*line.format(*[disk] * 9).split(), stdout="/dev/full")
    code, _, err = found
    assert (code, err.count("\n")) == (3, 1), found
    assert "standard output: cannot be written: No space left on device; make room" in err


# What each command makes: the paths below one of these belong together, old or new.
MAKES = {
    "score": (
        "submissions/house/own/scores.json",
        "submissions/house/own/scores.outcomes.npz",
    ),
    "audit": ("audit.txt",),
    "import": ("imported",),
    "convert": ("converted",),
    "run": ("ran",),
    "floors": tuple(
        f"toy/floors/{name}/none" for name in ("random", "train_prior", "whole_video")
    ),
    "build again": ("site",),
}  # fmt: skip
# Files that come after what is checked, or tell the times of files.
ASIDE = (".site.ledger.json", "run.json", "environment.json")


def below(found, place):
    return {
        path: data
        for path, data in found.items()
        if (path + "/").startswith(place + "/") and not path.endswith((*ASIDE, ".part"))
    }


def kill_at_steps(name, world, disk, following):
    """Kill a command at its first step, then at the `following` ones, to its end; how many."""
    shutil.copytree(world, disk)
    if name in ("score", "floors"):
        good(*words(name, disk))
        for path in [*disk.rglob("house/own/scores.*"), *disk.rglob("floors/*/*/scores.json")]:
            path.write_text("of an earlier command")
    before = tree(disk)
    good(*words(name, disk))
    wanted, kills, step = tree(disk), 0, 1
    while True:
        restore(disk, before)
        found = command(*words(name, disk), before=killed_at(step, disk))
        if found != signal.SIGKILL:
            assert found[0] == 0, found
            return kills
        kills += 1
        now = tree(disk)
        for place in MAKES[name]:
            assert below(now, place) in (below(before, place), below(wanted, place)), (step, place)
        code, _, err = command(*words(name, disk))
        assert code == 0 or "exists already" in err, (step, err)
        assert not [path for path in tree(disk) if path.endswith((".part", ".old", ".run"))], step
        for place in MAKES[name]:
            assert below(tree(disk), place) == below(wanted, place), (step, place)
        step = following(step)


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKES)
def test_a_killed_command_leaves_old_or_new_and_the_next_one_nothing_else(name, world, tmp_path):
    kills = kill_at_steps(name, world, tmp_path / "disk", lambda step: 2 * step)
    assert kills > 1


@pytest.mark.long
@pytest.mark.parametrize("name", MAKES)
def test_a_command_may_be_killed_at_many_steps(name, world, tmp_path):
    assert kill_at_steps(name, world, tmp_path / "disk", lambda step: step + 1 + step // 12) > 1


def restore(disk, before):
    """The disk as it was."""
    shutil.rmtree(disk)
    for path, data in before.items():
        (disk / path).parent.mkdir(parents=True, exist_ok=True)
        if data is True:
            (disk / path).mkdir(exist_ok=True)
        else:
            (disk / path).write_bytes(data)


@pytest.mark.parametrize("name", ["score", "import", "floors", "build again", "convert"])
def test_what_a_killed_command_left_is_removed_by_the_next(name, disk):
    places = {
        "score": "submissions/house/own",
        "floors": "toy/floors/random",
    }
    place = disk / places.get(name, ".")
    place.mkdir(parents=True, exist_ok=True)
    left_by_a_killed_process(place)
    assert sum(path.name.startswith(".ivcr-") for path in place.iterdir()) == 2
    good(*words(name, disk))
    assert [path for path in place.iterdir() if path.name.startswith(".ivcr-")] == []


@pytest.mark.parametrize("length", [230, 250, 255])
@pytest.mark.parametrize(
    "name", ["score --out", "official", "audit", "import", "init", "convert", "run", "build"]
)
def test_a_long_name_of_what_is_made_is_no_hindrance(name, length, disk):
    place = {"init": 2}.get(name, -1)  # of the name among the words
    arguments = words(name, disk)
    arguments[place] = disk / ("n" * length)
    good(*arguments)
    assert (disk / ("n" * length)).exists()
    assert [path for path in disk.iterdir() if path.name.startswith(".ivcr-")] == []


@pytest.mark.parametrize("link", [os.symlink, os.link])
@pytest.mark.parametrize("file", ["scores.json", "scores.outcomes.npz"])
def test_scores_in_a_submission_that_others_wrote_go_through_no_link(file, link, disk, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    run = disk / "submissions" / "house" / "own"
    (run / file).unlink()
    link(victim, run / file)
    good(*words("score", disk))
    assert victim.read_text() == "precious"
    assert not (run / file).samefile(victim)


@pytest.mark.parametrize("file", ["scores.json", "scores.outcomes.npz"])
def test_a_pipe_in_the_place_of_scores_is_refused(file, disk):
    run = disk / "submissions" / "house" / "own"
    (run / file).unlink()
    os.mkfifo(run / file)
    code, out, err = command(*words("score", disk))
    assert (code, out) == (3, "")
    assert f"{file}: cannot be written: expected a file or nothing there, found a pipe" in err
    assert (run / file).is_fifo()


def test_a_journal_is_no_way_to_write_a_file_of_others(disk, tmp_path):
    victim = tmp_path / "victim"
    for name, link in (("symbolic", os.symlink), ("hard", os.link)):
        victim.write_text("precious\n")
        (disk / "ran.run").mkdir()
        link(victim, disk / "ran.run" / "1-of-1.jsonl")
        code, _, err = command(*words("run", disk))
        assert (code, err.count("\n")) == (3, 1), name
        assert "to start anew" in err
        assert victim.read_text() == "precious\n"
        shutil.rmtree(disk / "ran.run")
    (tmp_path / "elsewhere").mkdir()
    (disk / "ran.run").symlink_to(tmp_path / "elsewhere")
    assert command(*words("run", disk))[0] == 3
    assert [path.read_bytes() for path in (tmp_path / "elsewhere").iterdir()] in ([], [b""])
