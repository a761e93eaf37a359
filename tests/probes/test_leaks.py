"""Answers and gold that follow an order are named; honest ones and mere habits are not."""

import json

import msgspec
import numpy as np
import pytest

from harness.probes.leaks import probe_leaks
from harness.probes.orders import mean_places, video_orders
from harness.probes.text_report import leaks_lines
from tests.bench.planted import follower
from tests.probes.test_copies import write_runs
from tests.probes.worlds import honest, run, scores

SHARES = {"neighbours": 0.2, "direction": 1.0, "trend": 0.5, "one position": 0.9}


def test_honest_runs_and_an_arbitrary_gold_follow_nothing(field):
    report = probe_leaks(field.with_runs(honest(field, 8)))
    assert report.findings == ()
    assert report.runs == 8
    # v(7 n mod 60): a step of 7 each time, which no order here has. Candidates begin with the gold.
    named = {each.test for each in report.benchmark if each.p <= report.level}
    assert named == {"place among candidates"}


@pytest.mark.parametrize("test", ["neighbours", "trend", "one position"])
def test_a_run_that_follows_the_corpus_is_named(test, field):
    runs = honest(field, 6)
    mine = follower(field, runs[0], test, SHARES[test], np.random.default_rng(1))
    report = probe_leaks(field.with_runs([mine._replace(key="mine/run"), *runs[1:]]))
    assert {each.run for each in report.findings} == {"mine/run"}
    assert test in {each.test for each in report.findings}


def sorted_gold(field):
    """The same dialogues, asking for the videos of the corpus one after the other."""
    target, video = field.target.copy(), field.frame.is_video
    target[video, 0] = np.arange(np.count_nonzero(video)) * 61 // np.count_nonzero(video)
    return field._replace(target=target)


def test_gold_that_follows_the_corpus_is_a_property_of_the_benchmark(field):
    report = probe_leaks(sorted_gold(field).with_runs(honest(field, 4)))
    named = {(each.test, each.order) for each in report.benchmark if each.p <= report.level}
    assert ("trend", "line of corpus.txt") in named
    assert any("without reading a word" in line for line in leaks_lines(report))


def test_a_run_that_is_right_follows_no_more_than_the_gold_does(field):
    planted = sorted_gold(field)
    perfect = run("perfect", scores(planted, 1, 100.0))
    report = probe_leaks(planted.with_runs([perfect, *honest(planted, 4)]))
    assert report.findings == ()


def test_gold_at_the_end_of_the_candidates_is_seen(field):
    # The benchmark of these tests lists the gold first; here it stands last.
    listed = {turn: ("S/99.mp4", *names[:1]) for turn, names in field.split.candidates.items()}
    split = msgspec.structs.replace(field.split, candidates=listed)
    (last,) = [
        each
        for each in probe_leaks(field._replace(split=split)).benchmark
        if each.order == "candidates as listed"
    ]
    assert (last.found, last.expected) == (1.0, 0.5)
    assert last.p < 0.01


def test_orders_that_are_the_same_are_named_once(field):
    known = video_orders(field)
    names = [order.name for order in known.orders]
    assert names[0] == "line of corpus.txt"
    assert any("time stamp" in note and "left out" in note for note in known.notes)  # no files
    assert any("duration" in note and "left out" in note for note in known.notes)  # all 30 s


def test_equal_values_share_their_mean_place():
    assert mean_places([5, 1, 5, 9]).tolist() == [1.5, 0.0, 1.5, 3.0]


def test_the_command_prints_text_and_json(ivcr, tmp_path, bench):
    write_runs(tmp_path, bench)
    code, out, _ = ivcr("probe", "leaks", tmp_path, "--benchmark", bench.folder)
    assert (code, out.splitlines()[0].split()[:2]) == (0, ["5", "runs"])
    code, out, _ = ivcr("probe", "leaks", tmp_path, "--benchmark", bench.folder, "--format", "json")
    report = json.loads(out)
    assert {each["run"] for each in report["benchmark"]} == {None}
