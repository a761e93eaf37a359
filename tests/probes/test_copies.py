"""Copies are found, by what nobody else answers; honest runs that share what is hard are not."""

import json

import numpy as np
import pytest

from harness.probes import read_field
from harness.probes.common_origin import BOUND, FEWEST, origins
from harness.probes.copies import probe_copies
from harness.probes.text_report import NO_VERDICT, copies_lines
from harness.probes.wrong_answers import WrongMoments, WrongVideos
from harness.submission import STARTER, write
from tests.answers import same_videos
from tests.baselines.conftest import CAT, DOG, imported
from tests.bench.planted import COPIES, firsts_changed, noisy, replaced
from tests.comparison.worlds import submit
from tests.probes.worlds import honest, run, scores


def found(field, runs):
    return {
        (each.first, each.second, each.kind)
        for each in probe_copies(field.with_runs(runs)).findings
    }


def copied(field, hide, runs=None, of=0, seed=5):
    runs = honest(field, 6) if runs is None else runs
    copy = hide(np.random.default_rng(seed), runs[of], runs[1])
    return [copy._replace(key="copy/run", team="copy"), *runs]


def test_honest_runs_are_not_warned_of(field):
    report = probe_copies(field.with_runs(honest(field, 8)))
    assert report.findings == ()
    assert (report.runs, report.teams, report.pairs) == (8, 8, 28)
    assert 28 < report.tests <= 2 * 28  # no run has moments, the best are wrong in few turns


def test_honest_runs_that_find_the_same_wrong_videos_are_not_warned_of(field):
    common = 1.5 * np.random.default_rng(0).standard_normal((len(field.gold), 61))
    runs = honest(field, 8, common)
    kind = WrongVideos(field.with_runs(runs))
    pair = origins(field.with_runs(runs), kind)
    assert np.nanmean(pair.same) > 0.2  # they agree in a fifth of their wrong answers
    assert np.nanmax(pair.kappa) < BOUND
    assert found(field, runs) == set()


@pytest.mark.parametrize("name", sorted(set(COPIES) - {
    "noise on all ranks, SD 5", "30 % another run's, ranks from 11 on shuffled",
}))  # fmt: skip
def test_a_copy_is_found_and_no_honest_pair_with_it(name, field):
    pairs = {(first, second) for first, second, _ in found(field, copied(field, COPIES[name]))}
    assert pairs == {("copy/run", "team0/run")}


def test_changed_first_videos_do_not_hide_the_ends_of_rankings(field):
    kinds = {kind for *_, kind in found(field, copied(field, firsts_changed(1.0)))}
    assert kinds == {"ends"}


def test_shuffled_ends_do_not_hide_wrong_first_videos(field):
    kinds = {kind for *_, kind in found(field, copied(field, noisy(1000.0, start=10)))}
    assert kinds == {"videos"}


def test_a_run_of_which_less_than_half_is_copied_is_not_warned_of(field):
    assert found(field, copied(field, replaced(0.7))) <= {("copy/run", "team1/run", "ends")}


def test_runs_of_one_team_are_not_tested_and_a_note_says_so(field):
    runs = [each._replace(team="one") for each in copied(field, replaced(0.0))[:2]]
    report = probe_copies(field.with_runs([*runs, *honest(field, 3)[1:]]))
    assert report.findings == ()
    assert any("one team" in note for note in report.notes)
    assert any("3 teams" in note for note in report.notes)


def test_kappa_is_counted_by_hand(field):
    # Wrong everywhere; the first two agree in half of the turns on a video that no other gives.
    turns, video = len(field.gold), np.flatnonzero(field.frame.is_video)
    first = np.tile(np.arange(61.0), (turns, 1))
    first[np.arange(turns), field.target[:, 0]] = -1.0
    other, third = first.copy(), first.copy()
    wrong = (field.target[:, 0] + 1) % 61
    for row, gold in enumerate(wrong):
        first[row, gold] = 100.0
        third[row, (gold + 2) % 61] = 100.0
        other[row, gold if row in video[::2] else (gold + 1) % 61] = 100.0
    runs = [run(name, table) for name, table in (("a", first), ("b", other), ("c", third))]
    pair = origins(field.with_runs(runs), WrongVideos(field.with_runs(runs)))
    # One other team, which answers otherwise, one spread vote over 61 videos: 1/61 of two votes;
    # the foil has no vote in this benchmark.
    chance = 1 / 61 / 2
    assert pair.turns[0, 1] == len(video)
    assert pair.same[0, 1] == 0.5
    assert pair.expected[0, 1] == pytest.approx(chance)
    assert pair.kappa[0, 1] == pytest.approx((0.5 - chance) / (1 - chance))
    assert np.isnan(pair.kappa[0, 0])


def test_the_vote_of_a_team_does_not_grow_with_its_runs(field):
    runs = honest(field, 5)
    more = [runs[4]._replace(key=f"team4/run{n}") for n in range(4)]
    alone, many = (
        origins(field.with_runs(each), WrongVideos(field.with_runs(each)))
        for each in (runs, [*runs, *more])
    )
    assert many.expected[0, 1] == pytest.approx(alone.expected[0, 1])


def test_moments_alike_but_for_a_tenth_of_a_second_are_one_answer(field):
    rng = np.random.default_rng(3)
    start = rng.integers(16_000, 20_000, len(field.gold))
    moments = np.stack([field.target[:, 0], start, start + 3_000], axis=1)
    later = moments + np.array([0, 100, 100])
    apart = moments + np.array([0, 3_000, 3_000])
    values = scores(field, 1, 1.0)
    runs = [
        run(name, values, each) for name, each in zip("abc", (moments, later, apart), strict=True)
    ]
    pair = origins(field.with_runs(runs), WrongMoments(field.with_runs(runs)))
    assert pair.turns[0, 1] == 150
    assert (pair.same[0, 1], pair.same[0, 2]) == (1.0, 0.0)


def test_moments_that_cover_their_video_are_no_evidence(field):
    whole = np.stack(
        [field.target[:, 0], 0 * field.target[:, 0], 0 * field.target[:, 0] + 30_000], 1
    )
    runs = [run(name, scores(field, 1, 1.0), whole) for name in "ab"]
    pair = origins(field.with_runs(runs), WrongMoments(field.with_runs(runs)))
    assert np.isnan(pair.turns).all()


def test_ties_in_the_order_of_the_corpus_are_no_evidence(field):
    # Right first, then nothing is known: both list the rest as the corpus does.
    values = (field.target[:, :1] == np.arange(61)).astype(float)
    runs = [run(name, values - 1e-9 * np.arange(61)) for name in ("a", "b")]
    assert found(field, [*runs, *honest(field, 4)]) == set()


def test_a_pair_with_few_turns_is_not_tested(field):
    runs = honest(field, 4)
    kept = np.flatnonzero(field.frame.is_video)[: FEWEST - 1]
    for at in (0, 1):
        ranking = np.full_like(runs[0].ranking, -1)
        ranking[kept] = runs[0].ranking[kept]
        runs[at] = runs[at]._replace(ranking=ranking)
    assert found(field, runs) == set()


def write_runs(folder, bench):
    """Five teams; the second repeats the first one's wrong answers."""
    for at in range(5):
        marks = ["01"[(n + at * at) % 3 == 0] + "1" for n in range(150)]
        wrong = f"S/{40 if at < 2 else 41 + at}.mp4"
        submit(folder / f"team{at}" / "run", bench, *marks, wrong=wrong)


def test_runs_of_another_split_are_one_note_with_their_number(tmp_path):
    toy = imported(tmp_path)
    for split, name in (("train", "a"), ("train", "b"), ("test", "c")):
        answers = same_videos(toy.split(split).turns, (CAT, DOG))
        write(tmp_path / "runs" / "team" / name, STARTER, answers)
    found = read_field(tmp_path / "runs", toy, "test")
    assert [each.key for each in found.runs] == ["team/c"]
    assert found.notes == ("2 runs left out, which answer another split than test",)


def test_the_command_warns_and_exits_with_0(ivcr, tmp_path, bench):
    write_runs(tmp_path / "runs", bench)
    (tmp_path / "runs" / "team9" / "bad").mkdir(parents=True)
    (tmp_path / "runs" / "team9" / "bad" / "card.toml").write_text("\x1b = 3")
    where = (tmp_path / "runs", "--benchmark", bench.folder)
    code, out, err = ivcr("probe", "copies", *where)
    assert (code, err) == (0, "")
    assert '"team0/run" and "team1/run"' in out
    assert out.splitlines()[-1] == NO_VERDICT
    assert '"team9/bad": left out' in out
    assert "\x1b" not in out
    code, out, _ = ivcr("probe", "copies", *where, "--format", "json")
    report = json.loads(out)
    assert [(each["first"], each["kind"]) for each in report["findings"]] == [
        ("team0/run", "videos")
    ]
    assert report["findings"][0]["same"] == 1.0


def test_the_same_runs_give_the_same_bytes(tmp_path, bench):
    write_runs(tmp_path, bench)
    reports = [list(copies_lines(probe_copies(read_field(tmp_path, bench)))) for _ in range(2)]
    assert reports[0] == reports[1]


@pytest.mark.parametrize(("place", "code"), [("absent", 3), ("team0", 2), ("team0/run", 2)])
def test_a_folder_of_another_level_is_refused(place, code, ivcr, tmp_path, bench):
    write_runs(tmp_path, bench)
    found = ivcr("probe", "copies", tmp_path / place, "--benchmark", bench.folder)
    assert found[0] == code


def test_the_help_says_that_a_warning_is_no_verdict(ivcr):
    for words in (("probe",), ("probe", "copies"), ("probe", "leaks")):
        assert "no verdict" in " ".join(ivcr(*words, "--help")[1].split())
