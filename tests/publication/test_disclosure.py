"""Hidden labels: no sum or difference of shown cells is over few turns."""

import itertools

import numpy as np
import pytest

from harness.publication.disclosure import (
    SMALLEST_CELL,
    published,
    rounding_error,
    withheld,
    withheld_by_size,
)


def shown_of(slices):
    """The slices that are shown, given as lists of the turns that each counts, `all` first."""
    turns = sorted(set().union(*slices.values()))
    inside = [[turn in counted for turn in turns] for counted in slices.values()]
    return set(slices) - withheld(list(slices), inside)


def test_the_smallest_cell_that_is_shown_has_thirty_turns():
    whole = range(100)
    assert SMALLEST_CELL == 30
    assert "tag=a" in shown_of({"all": whole, "tag=a": range(30)})
    assert "tag=a" not in shown_of({"all": whole, "tag=a": range(29)})
    assert "tag=a" in shown_of({"all": whole, "tag=a": range(70)})
    assert "tag=a" not in shown_of({"all": whole, "tag=a": range(71)})


def test_a_figure_may_rest_on_less_than_it_counts():
    inside = np.ones((2, 100))
    assert withheld(["all", "type=1"], inside, sizes=[100, 29]) == {"type=1"}


@pytest.mark.parametrize(
    ("slices", "secret"),
    [
        # type=2 lies in length=3 and leaves one turn of it.
        ({"type=2": range(40), "length=3": range(41)}, {"type=2"}),
        # The two differ in turn 0 and in turn 40: their difference is that of two turns.
        ({"type=2": range(40), "length=3": range(1, 41)}, {"type=2", "length=3"}),
        # Together they count every turn, turn 49 twice: less the whole, it is told.
        ({"tag=a": range(50), "tag=b": range(49, 100)}, {"tag=a"}),
        # Both have 50 turns, and turn 99 is left over.
        ({"tag=a": range(50), "tag=b": range(49, 99)}, {"tag=a", "tag=b"}),
        # 5 are left; without the smaller of the others 35 are.
        ({"type=1": range(65), "type=2": range(65, 95), "type=3": range(95, 100)},
         {"type=2", "type=3"}),
        # 10 are left of 135; no two of the slices leave so few.
        ({"all": range(135), "type=1": range(40), "type=2": range(40, 85),
          "type=3": range(85, 125)}, {"type=1", "type=3"}),
        # Of two equally small ones both are withheld, whatever their names.
        ({"type=1": range(40), "type=2": range(40, 80), "type=3": range(80, 100)},
         {"type=1", "type=2", "type=3"}),
        ({"type=1": range(40), "type=2": range(40, 100)}, set()),
    ],
)  # fmt: skip
def test_what_cells_tell_together_is_withheld(slices, secret):
    slices = {"all": range(100), **slices}
    assert shown_of(slices) == slices.keys() - secret


@pytest.mark.parametrize(
    ("sizes", "secret"),
    [
        ({"all": 100, "language=en": 60, "language=zh": 40}, set()),
        ({"all": 100, "language=en": 99, "language=zh": 1}, {"language=en", "language=zh"}),
        ({"all": 100, "type=1": 65, "type=2": 30, "type=3": 5}, {"type=2", "type=3"}),
        ({"all": 100, "tag=a": 60, "tag=b": 60}, set()),
        ({"all": 100, "tag=a": 80}, {"tag=a"}),
        ({"all": 200, "turn=1": 100, "turn=2": 100, "cohort4:turn=1": 90}, {"cohort4:turn=1"}),
        ({"all": 200, "turn=1": 100, "turn=2": 100, "cohort4:turn=1": 60}, set()),
        ({"all": 29, "turn=1": 29}, {"all", "turn=1"}),
        # Turns of segments are no parts of the last turns of segments.
        ({"all": 50, "segment_turn=1": 50, "segment_turn=2": 50}, set()),
    ],
)  # fmt: skip
def test_a_document_of_sizes_alone_is_judged_by_what_slices_are_parts_of(sizes, secret):
    assert withheld_by_size(sizes) == secret


def random_slices(seed):
    """Random slices of several kinds, some nearly the same, and some overlapping tags."""
    draw = np.random.default_rng(seed)
    turns = int(draw.integers(40, 400))
    length = draw.integers(1, 6, turns)
    kinds = {
        "turn": np.minimum(draw.integers(1, 6, turns), length),
        "length": length,
        "type": np.where(draw.random(turns) < 0.05, 7, length),
        "language": draw.random(turns) < draw.random(),
    }
    slices = {"all": np.ones(turns, dtype=bool)}
    for kind, codes in kinds.items():
        slices |= {f"{kind}={code}": codes == code for code in np.unique(codes)}
    slices |= {f"tag={n}": draw.random(turns) < draw.random() for n in range(3)}
    slices |= {f"cohort4:turn={n}": (length >= 4) & (kinds["turn"] == n) for n in range(1, 5)}
    return slices


def reconstructed(slices, shown):
    """Numbers of turns over which a sum is known: cells, two of them, and two of them and all."""
    known = [slices[name].astype(int) for name in shown]
    for one, other in itertools.combinations([np.zeros_like(slices["all"], int), *known], 2):
        yield from map(np.count_nonzero, (one - other, one + other, slices["all"] - one - other))


@pytest.mark.parametrize("seed", range(40))
def test_nothing_is_reconstructed_from_what_is_shown(seed):
    slices = random_slices(seed)
    shown = slices.keys() - withheld(list(slices), list(slices.values()))
    assert not [size for size in reconstructed(slices, shown) if 0 < size < SMALLEST_CELL]


def test_the_attack_succeeds_where_only_small_cells_are_withheld():
    found = 0
    for seed in range(40):
        slices = random_slices(seed)
        large = {name for name, counted in slices.items() if counted.sum() >= SMALLEST_CELL}
        found += any(0 < size < SMALLEST_CELL for size in reconstructed(slices, large))
    assert found > 30


@pytest.mark.parametrize("seed", range(40))
def test_who_knows_the_turns_withholds_at_least_what_who_knows_their_number_does(seed):
    slices = random_slices(seed)
    sizes = {name: int(counted.sum()) for name, counted in slices.items()}
    assert withheld_by_size(sizes) <= withheld(list(slices), list(slices.values()))


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.123449, "share", 0.1234),
        (0.123451, "share", 0.1235),
        (-0.00001, "share", 0.0),
        (-0.51239, "share", -0.5124),
        (12.3456, "points", 12.35),
        (4.614999, "nats", 4.61),
        (2.5, "rank", 2.5),
        (6.99999, "turns", 7.0),
    ],
)
def test_a_published_figure_has_two_decimals_in_the_unit_that_people_read(value, unit, expected):
    found = published(value, unit)
    assert f"{found:.10g}" == f"{expected:.10g}"
    assert abs(found - value) <= rounding_error(unit)
