"""A file of figures that lies in a submission changes no byte of a board, and is named."""

import json
import os
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from harness.challenge.intake import IntakeSettings, intake
from harness.records import Card
from harness.scoring import score_to_files
from harness.submission import write
from tests.answers import same_videos
from tests.baselines.conftest import CAT, COOK, DOG, imported
from tests.challenge.intake.conftest import day
from tests.leaderboard.site.test_builder import tree
from tests.rehearsal.clock import ivcr
from tests.rehearsal.teams import forge

NOW = "2026-01-02T12:00:00Z"
SCORES, OUTCOMES = "scores.json", "scores.outcomes.npz"
CHALLENGE = """
title = "Toy"
[[phase]]
name = "only"
kind = "files"
split = "test"
history = "none"
opens = 2026-01-01T00:00:00Z
closes = 2026-02-01T00:00:00Z
"""


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """Two accepted runs, their honest figures, the results folder, and the board without either."""
    root = tmp_path_factory.mktemp("honest")
    benchmark, submissions = imported(root), root / "submissions"
    submissions.mkdir()
    (submissions / "challenge.toml").write_text(CHALLENGE)
    made = {}
    for team, videos in (("bad", (COOK, CAT)), ("good", (CAT, DOG))):
        given = same_videos(benchmark.split().turns, videos, response="yes")
        write(submissions / team / "run", Card(1, team, team, "none", "unused"), given)
        scored = shutil.copytree(submissions / team / "run", root / "scored" / team)
        score_to_files(scored, benchmark)
        made[team] = scored
    results = root / "results"
    intake(IntakeSettings(submissions, benchmark.folder, results, None, 1), now=day(2))
    honest = SimpleNamespace(
        root=root, benchmark=benchmark.folder, submissions=submissions, results=results, **made
    )
    build(honest, submissions, root / "site")
    honest.shown = shown(root / "site")
    return honest


def build(honest, submissions, site):
    ended = ivcr(
        NOW, "leaderboard", "build", submissions, "--benchmark", honest.benchmark,
        "--out", site, "--results", honest.results, "--processes", "1",
    )  # fmt: skip
    assert ended.code == 0
    return ended.err


def shown(site):
    """All that shows figures of runs as data."""
    found = {
        name: digest
        for name, digest in tree(site).items()
        if name.startswith(("leaderboard.", "tables/"))
    }
    assert len(found) > 8
    return found


def document(folder):
    return json.loads((folder / SCORES).read_text())


def changed(change):
    """Put honest figures beside the run, and change their document."""

    def do(honest, folder):
        found = document(honest.bad)
        change(found)
        (folder / SCORES).write_text(json.dumps(found))

    return do


def raw(data):
    return lambda honest, folder: (folder / SCORES).write_bytes(data)


def whole(honest, folder):
    """Honest figures and outcomes."""
    for name in (SCORES, OUTCOMES):
        shutil.copy(honest.bad / name, folder / name)


def issue_15(honest, folder):
    """All hashes are right, and R@1 90.0 stands beside R@10 90.0 and R@100 36.3."""
    whole(honest, folder)
    forge(folder)


def perfect(found):
    """Every figure of every slice, and consistent."""
    for cells in found["metrics"].values():
        for cell in cells.values():
            if cell["value"] is not None:
                cell |= {"value": 1.0, "low": 1.0, "high": 1.0}


def swapped_outcomes(honest, folder):
    """Honest figures, and the outcomes of a better run."""
    whole(honest, folder)
    shutil.copy(honest.good / OUTCOMES, folder / OUTCOMES)


def forged_outcomes(honest, folder):
    """Outcomes of the run itself, by their hashes, in which all turns are right; no scores.json."""
    arrays = dict(np.load(honest.bad / OUTCOMES))
    np.savez_compressed(folder / OUTCOMES, **{**arrays, "table": np.ones_like(arrays["table"])})


def another_teams(honest, folder):
    """Figures and outcomes of a better run, as they are."""
    for name in (SCORES, OUTCOMES):
        shutil.copy(honest.good / name, folder / name)


def another_teams_as_own(honest, folder):
    """Figures of a better run under the own name and hash."""
    found = document(honest.good) | {"submission": document(honest.bad)["submission"]}
    (folder / SCORES).write_text(json.dumps(found))


def older_scorer(found):
    found["signature"] = found["signature"].replace("|v:", "|v:0.0.")


def another_benchmark(found):
    found["benchmark"] |= {"fingerprint": "a" * 64, "gold_sha256": "b" * 64}


def another_split(found):
    found["benchmark"]["split"] = "train"


def one_language(found):
    cell = found["metrics"]["language=zh"]["R@1"]
    cell |= {"value": 0.123, "low": 0.1, "high": 0.2}


def texts(found):
    for cell in found["metrics"]["all"].values():
        cell["value"] = "0.99"


def no_number(found):
    found["metrics"]["all"]["R@1"] |= {"value": float("nan"), "low": None, "high": None}


def beyond_numbers(honest, folder):
    text = json.dumps(document(honest.bad))
    first = text.index('"value": 0') if '"value": 0' in text else text.index('"value": ')
    (folder / SCORES).write_text(text[:first] + '"value": 1e999' + text[first + 10 :])


def no_signature(found):
    del found["signature"]


def half_a_signature(found):
    found["signature"] = found["signature"].partition("|")[0]


def unknown_metric(found):
    found["metrics"]["all"]["R@0"] = found["metrics"]["all"]["R@1"]


def withheld(found):
    found["metrics"]["all"]["R@1"] = {"value": None, "why": "not for you"}


def twice_the_same_key(honest, folder):
    text = json.dumps(document(honest.bad))
    better = json.dumps(document(honest.good)["metrics"])
    (folder / SCORES).write_text(f'{text[:-1]}, "metrics": {better}}}')


def link_out(honest, folder):
    (folder / SCORES).symlink_to(honest.good / SCORES)


def link_to_itself(honest, folder):
    (folder / SCORES).symlink_to(SCORES)


def link_to_nothing(honest, folder):
    (folder / SCORES).symlink_to("/nowhere/scores.json")


def pipe(honest, folder):
    os.mkfifo(folder / SCORES)


def a_folder(honest, folder):
    (folder / SCORES).mkdir()


def huge(honest, folder):
    (folder / SCORES).touch()
    os.truncate(folder / SCORES, 20 << 30)


FORGERIES = {
    "the file of issue 15": issue_15,
    "every figure perfect": changed(perfect),
    "outcomes swapped": swapped_outcomes,
    "outcomes forged": forged_outcomes,
    "another team's scores": another_teams,
    "another team's scores as one's own": another_teams_as_own,
    "an older scorer": changed(older_scorer),
    "another benchmark": changed(another_benchmark),
    "another split": changed(another_split),
    "one language alone": changed(one_language),
    "texts": changed(texts),
    "NaN": changed(no_number),
    "beyond all numbers": beyond_numbers,
    "no signature": changed(no_signature),
    "half a signature": changed(half_a_signature),
    "an unknown metric": changed(unknown_metric),
    "a figure withheld": changed(withheld),
    "a key twice": twice_the_same_key,
    "a link to a better run's": link_out,
    "a link to itself": link_to_itself,
    "a link to nothing": link_to_nothing,
    "a pipe": pipe,
    "a folder": a_folder,
    "20 GiB": huge,
    "deep": raw(b"[" * 900_000),
    "no text": raw(b"\xff\xfe\x00"),
    "empty": raw(b""),
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_forged_figures_change_nothing_and_are_named(forgery, honest, tmp_path):
    submissions = shutil.copytree(honest.submissions, tmp_path / "submissions")
    shutil.copytree(honest.root / "site", tmp_path / "site")
    forgery(honest, submissions / "bad" / "run")
    told = [
        line
        for line in build(honest, submissions, tmp_path / "site").splitlines()
        if '"bad/run"' in line
    ]
    assert shown(tmp_path / "site") == honest.shown
    (line,) = told
    assert line.startswith("its scores.json differs and does not count: ")
    page = (tmp_path / "site" / "index.html").read_text("utf-8")
    section = page[page.index('id="differing"') :]
    assert "<code>bad/run</code>" in section
    assert "<code>good/run</code>" not in section


def test_honest_figures_are_not_named(honest, tmp_path):
    submissions = shutil.copytree(honest.submissions, tmp_path / "submissions")
    whole(honest, submissions / "bad" / "run")
    assert build(honest, submissions, tmp_path / "site") == ""
    assert tree(tmp_path / "site") == tree(honest.root / "site")


def test_a_file_forged_between_two_builds_is_named_by_the_second(honest, tmp_path):
    submissions = shutil.copytree(honest.submissions, tmp_path / "submissions")
    site, folder = tmp_path / "site", submissions / "bad" / "run"
    whole(honest, folder)
    assert build(honest, submissions, site) == ""
    for forgery in (swapped_outcomes, issue_15):
        forgery(honest, folder)
        assert '"bad/run"' in build(honest, submissions, site)
        assert '"bad/run"' in build(honest, submissions, site), "and by each one after it"
        assert shown(site) == honest.shown
    for name in (SCORES, OUTCOMES):
        (folder / name).unlink()
    assert build(honest, submissions, site) == ""
    assert tree(site) == tree(honest.root / "site")
