"""Feedback: what the Ladder releases, and how many labels each kind of feedback gives away."""

import numpy as np
import pytest

from harness.challenge.challenge_file import DEFAULT_FEEDBACK
from harness.challenge.feedback import (
    RELEASED_METRICS,
    LadderFeedback,
    feedback,
    feedback_in_force,
    released_metric,
)
from harness.errors import WrongUsageError
from harness.metrics import METRICS, Column
from harness.schemas.documents import schema
from harness.statistics import Design
from tests.bench.label_attacks import read_counts, read_digits, read_ladder
from tests.bench.label_fits import climb_ladder, fit_ladder, fit_shares, likeliest
from tests.bench.label_worlds import DIGITS, UNKNOWN, LadderBoard, simulated_world

TURNS = 100


def column(*right, turns=TURNS, why=None):
    """R@1 turn by turn: 1 for the turns named."""
    values = np.zeros(turns)
    values[list(right)] = 1
    return Column.of(values, np.ones(turns, dtype=bool), why)


def apart(turns=TURNS):
    """Nothing shares a dialogue or a video."""
    return Design.of(np.arange(turns), np.arange(turns), np.ones(turns))


def test_with_independent_turns_it_is_the_rule_of_the_paper():
    """Blum & Hardt, figure 2: better by more than the deviation of the differences over root n."""
    rng = np.random.default_rng(0)
    ladder, told = LadderFeedback("R@1", apart(), steps=1.0), 0
    for _ in range(200):
        old, new = (rng.random(TURNS) < 0.5 for _ in range(2))
        ahead = new.astype(float) - old
        by_hand = ahead.mean() > ahead.std(ddof=1) / np.sqrt(TURNS)
        ones = np.ones(TURNS, dtype=bool)
        released = ladder.release(Column.of(old, ones), Column.of(new, ones))
        assert (released is not None) == by_hand
        told += by_hand
    assert 10 < told < 60  # some 16 % of equal runs


def test_turns_of_one_dialogue_count_as_one():
    ten = range(10)
    whole = Design.of(np.arange(TURNS) // 10, np.arange(TURNS), np.ones(TURNS))
    assert LadderFeedback("R@1", apart()).release(None, column(*ten)) == 0.1
    assert LadderFeedback("R@1", whole).release(None, column(*ten)) is None
    # So do turns with one gold video.
    shared = Design.of(np.arange(TURNS), np.arange(TURNS) // 10, np.ones(TURNS))
    assert LadderFeedback("R@1", shared).release(None, column(*ten)) is None


def test_one_two_and_three_more_right_turns_are_never_told():
    ladder, best = LadderFeedback("R@1", apart()), column(*range(50))
    for more in range(4):
        assert ladder.release(best, column(*range(50 + more))) is None
    assert ladder.release(best, column(*range(60))) == 0.6


def test_a_run_that_is_worse_or_equal_is_not_told():
    ladder, best = LadderFeedback("R@1", apart()), column(*range(50))
    assert ladder.release(best, best) is None
    assert ladder.release(best, column(*range(20))) is None


def test_a_released_figure_is_rounded_as_boards_on_hidden_labels_round():
    values = np.zeros(30_000)
    values[:10_000] = 1
    third = Column.of(values, np.ones(30_000, dtype=bool))
    assert LadderFeedback("R@1", apart(30_000)).release(None, third) == 0.3333
    assert feedback("exact", "R@1", None, third, apart(30_000)).figure == 0.3333


def test_one_dialogue_alone_releases_nothing():
    one = Design.of(np.zeros(TURNS), np.arange(TURNS), np.ones(TURNS))
    assert LadderFeedback("R@1", one).release(None, column(*range(90))) is None


def test_exact_tells_every_run_and_none_tells_none():
    runs = [column(*range(50)), column(*range(40)), column(*range(51))]
    told, best = [], None
    for run in runs:
        found = feedback("exact", "R@1", best, run, apart())
        told.append(tuple(found))
        best = run if found.best else best
    assert told == [(0.5, True), (0.4, False), (0.51, True)]
    assert all(feedback("none", "R@1", None, run, apart()) == (None, False) for run in runs)


def test_an_undefined_figure_is_told_under_no_kind():
    undefined = column(why="no line of the submission has `videos`")
    for kind in schema("challenge")["$defs"]["phase"]["properties"]["feedback"]["enum"]:
        assert feedback(kind, "R@1", None, undefined, apart()) == (None, False)


def test_the_default_is_a_kind_of_the_schema():
    kinds = schema("challenge")["$defs"]["phase"]["properties"]["feedback"]["enum"]
    assert DEFAULT_FEEDBACK in kinds
    assert feedback_in_force(DEFAULT_FEEDBACK, "hidden") == DEFAULT_FEEDBACK
    assert feedback_in_force("none", "public") == "exact"


def test_what_is_told_is_a_mean_of_shares_for_every_track_that_has_one():
    assert released_metric(None) == "R@1"
    for track in RELEASED_METRICS:
        metric = METRICS[released_metric(track)]
        assert (metric.average, metric.better, metric.unit) == ("mean", "higher", "share")
    with pytest.raises(WrongUsageError, match="response-en"):
        released_metric("response-en")


KS = (1, 10, 100)


@pytest.fixture(scope="module")
def world():
    return simulated_world(30)  # 60 turns in two slices of 30


def certain(world, known):
    """How many labels are known after each of KS submissions; all of them are right."""
    for found in known.values():
        assert ((found == UNKNOWN) | (found == world.gold)).all()
    return [int(np.count_nonzero(known[k] != UNKNOWN)) for k in KS]


def test_labels_given_away_fall_from_digits_over_rounding_to_the_ladder(world):
    rng = np.random.default_rng(2)
    whole = np.zeros(len(world.gold), dtype=int)
    inside = int(np.count_nonzero(world.gold < 10))
    digits = certain(world, read_digits(world, KS))
    board = certain(world, read_counts(world, world.part, KS, rng, games=4))
    rounded = certain(world, read_counts(world, whole, KS, rng))
    one, two = (
        certain(world, read_ladder(world, LadderBoard(world, steps, rounded=True), KS, rng))
        for steps in (1.0, 2.0)
    )
    # Six submissions in ten digits read all labels there are in the lists.
    assert digits[0] >= 8
    assert digits[1] == inside
    assert digits[1] > board[1] > rounded[1] > two[1] == 0
    assert board[2] == inside
    assert inside > rounded[2] > one[2] > two[2]
    assert two[2] <= 4


def test_where_rounding_hides_single_turns_it_is_read_all_the_same():
    """15,000 turns: one right turn more may leave two decimals of a per cent as they were."""
    large = simulated_world(7_500)
    assert round(1 / 15_000, DIGITS) == round(2 / 15_000, DIGITS) > 0
    rng, whole = np.random.default_rng(3), np.zeros(15_000, dtype=int)
    found = certain(large, read_counts(large, whole, KS, rng))
    assert found[2] >= 20


def test_a_fitted_board_falls_with_the_ladder(world):
    """Votes of guesses gain on the board where every figure is told, and nothing by the Ladder."""
    gained = {"told": [], "ladder": [], "climbed": []}
    whole = np.zeros(len(world.gold), dtype=int)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        finals = {
            "told": fit_shares(world, whole, KS, rng),
            "ladder": fit_ladder(world, LadderBoard(world, 2.0, rounded=True), KS, rng),
            "climbed": climb_ladder(world, LadderBoard(world, 2.0, rounded=True), KS, rng),
        }
        before = np.mean(likeliest(world) == world.gold)
        for name, final in finals.items():
            gained[name].append(np.mean(final[100] == world.gold) - before)
    assert np.mean(gained["told"]) > 0.1
    assert np.mean(gained["ladder"]) < 0.03
    assert np.mean(gained["climbed"]) < 0.06
