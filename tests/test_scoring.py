"""Figures on slices: counted by hand, undefined with a reason, withheld where labels are hidden."""

import itertools
import random

import numpy as np
import pytest
from msgspec.structs import replace
from scipy import stats

from harness.metrics import METRICS
from harness.outcomes import outcomes
from harness.records import Prediction
from harness.scoring import design_of, figures
from harness.slices import slices
from tests.metrics.conftest import SOURCES, VIDEOS, make_split, random_case
from tests.metrics.generated import conversation


def figures_of(split, gold, predictions, hidden=False):
    found = outcomes(split, gold, predictions, SOURCES)
    columns = {name: metric.column(found) for name, metric in METRICS.items()}
    return figures(found.frame, columns, design_of(found.frame), hidden=hidden), found


@pytest.fixture(scope="module")
def scored():
    """Figures of a random case, with its split, gold and predictions."""
    case = random_case(7)
    return *case, *figures_of(*case)


def test_every_slice_equals_the_mean_taken_by_hand(scored):
    split, gold, predictions, document, _ = scored
    right = {
        row
        for row, (answer, given) in enumerate(zip(gold, predictions, strict=True))
        if given is not None and given.videos and given.videos[0] == answer.video_id
    }
    rows = list(enumerate(split.turns))
    by_hand = {
        "all": [row for row, turn in rows if turn.task == "video"],
        "turn=2": [row for row, turn in rows if turn.task == "video" and turn.turn == 2],
        "type=3": [row for row, turn in rows if turn.task == "video" and turn.type == 3],
        "language=zh": [
            row for row, turn in rows if turn.task == "video" and turn.language == "zh"
        ],
        "source=S1": [
            row for row, t in rows if t.task == "video" and gold[row].video_id[:2] == "S1"
        ],
    }
    for name, turns in by_hand.items():
        cell = document[name]["R@1"]
        assert cell["turns"] == len(turns)
        assert cell["dialogues"] == len({split.turns[row].dialogue_id for row in turns})
        assert cell["value"] == pytest.approx(len(right & set(turns)) / len(turns), abs=1e-9)


def test_videos_whose_ids_name_no_source_make_no_slice(scored):
    split, gold, predictions, *_ = scored
    nameless = {name: source if source == "S1" else "" for name, source in SOURCES.items()}
    found = outcomes(split, gold, predictions, nameless)
    columns = {name: metric.column(found) for name, metric in METRICS.items()}
    made = figures(found.frame, columns, design_of(found.frame), hidden=False)
    assert [name for name in made if name.startswith("source=")] == ["source=S1"]
    assert made["source=S1"]["R@1"] == scored[3]["source=S1"]["R@1"]


def test_slices_of_one_kind_add_up_to_all(scored):
    *_, document, _ = scored
    for kind in ("turn=", "type=", "language=", "source=", "length=", "target="):
        parts = [cells["R@1"]["turns"] for name, cells in document.items() if name.startswith(kind)]
        assert sum(parts) == document["all"]["R@1"]["turns"]


def test_the_fixed_cohort_holds_the_same_dialogues_at_every_turn(scored):
    *_, found = scored
    cohort = [turns for name, turns in slices(found.frame).items() if name.startswith("cohort4:")]
    members = [set(found.frame.dialogue[turns].tolist()) for turns in cohort]
    assert len(members) == 4
    assert all(each == members[0] for each in members)


def test_target_is_repeated_if_an_earlier_turn_of_the_dialogue_has_the_same_gold():
    rows = [
        ("d", 1, 1, "en", "video", VIDEOS[0], {}),
        ("d", 2, 1, "en", "moment", VIDEOS[0], {"moment": (0, 1000)}),
        ("d", 3, 1, "en", "video", VIDEOS[1], {}),
        ("e", 1, 1, "en", "video", VIDEOS[0], {}),
    ]
    split, gold = make_split(rows)
    given = [Prediction(turn.dialogue_id, turn.turn, (), (), None, None) for turn in split.turns]
    document, _ = figures_of(split, gold, given)
    assert document["target=new"]["R@1"]["turns"] == 3
    assert document["target=repeated"]["R@1,IoU>=0.5"]["turns"] == 1


def test_bounds_hold_their_value_and_lie_in_the_metrics_range(scored):
    *_, document, _ = scored
    for cells in document.values():
        for name, cell in cells.items():
            if cell["value"] is not None and cell["low"] is not None:
                assert METRICS[name].low <= cell["low"] <= cell["value"] <= cell["high"]
                assert cell["high"] <= max(METRICS[name].high, METRICS[name].abstention)


def test_undefined_figures_are_null_with_their_reason():
    split, gold = make_split([("d", 1, 0, "en", "chat", None, {})])
    document, _ = figures_of(split, gold, [Prediction("d", 1, None, None, None, "hello")])
    for name, cell in document["all"].items():
        assert cell["value"] is None, name
        assert cell["why"]
        assert "low" not in cell


def test_the_median_rank_is_null_where_half_the_golds_are_absent():
    rows = [(f"d{n}", 1, 1, "en", "video", VIDEOS[n], {}) for n in range(4)]
    split, gold = make_split(rows)
    ranked = [Prediction("d0", 1, (VIDEOS[0],)), Prediction("d1", 1, (VIDEOS[9], VIDEOS[1]))]
    absent = [Prediction("d2", 1, ()), Prediction("d3", 1, ())]
    document, _ = figures_of(split, gold, ranked + absent)
    assert document["all"]["MedR"]["why"] == "past 100"
    third = Prediction("d2", 1, (VIDEOS[8], VIDEOS[7], VIDEOS[2]))
    document, _ = figures_of(split, gold, [*ranked, third, absent[1]])
    assert document["all"]["MedR"]["value"] == (2 + 3) / 2


def test_one_dialogue_has_a_value_and_no_interval():
    split, gold = make_split([("d", 1, 1, "en", "video", VIDEOS[0], {})])
    document, _ = figures_of(split, gold, [Prediction("d", 1, (VIDEOS[0],))])
    assert document["all"]["R@1"] == {
        "value": 1,
        "low": None,
        "high": None,
        "turns": 1,
        "dialogues": 1,
    }


def test_small_cells_are_withheld_where_labels_are_hidden():
    document, found = figures_of(*random_case(7), hidden=True)
    columns = {name: metric.column(found) for name, metric in METRICS.items()}
    small = 0
    for name, turns in slices(found.frame).items():
        for metric, cell in document[name].items():
            if (columns[metric].counted & turns).sum() < 30:
                small += 1
                assert cell["value"] is None
    assert small > 20


def kinds_of_three(sizes):
    """Dialogues of one video turn, so many of each type; figures with hidden labels."""
    rows = [
        (f"d{code}-{n}", 1, code, "en", "video", VIDEOS[n % 150], {})
        for code, size in sizes.items()
        for n in range(size)
    ]
    split, gold = make_split(rows)
    given = [Prediction(*row[:2], (row[5],) if row[1] % 2 else ()) for row in rows]
    return figures_of(split, gold, given, hidden=True)[0]


def test_metrics_of_dialogues_need_thirty_dialogues():
    rows = [
        (f"d{n:02}", turn, 1, "en", "video", VIDEOS[4 * n + turn], {})
        for n in range(30)
        for turn in (1, 2)
    ]
    for dialogues, defined in ((30, True), (29, False)):
        split, gold = make_split(rows[: 2 * dialogues])
        given = [Prediction(*row[:2], (row[5],)) for row in rows[: 2 * dialogues]]
        document, _ = figures_of(split, gold, given, hidden=True)
        assert document["all"]["R@1"]["value"] == 1
        assert (document["all"]["success"]["value"] is not None) == defined


def test_a_small_cell_cannot_be_had_as_what_the_others_leave_of_all():
    document = kinds_of_three({1: 40, 2: 50, 3: 5})
    shown = {name for name, cells in document.items() if cells["R@1"]["value"] is not None}
    # Were type=1 and type=2 both shown, all minus them would tell type=3.
    assert shown == {"all", "turn=1", "type=2", "language=en", "length=1", "target=new"} | {
        name for name in shown if name.startswith("source=")
    }


def test_a_slice_that_leaves_little_of_another_is_withheld():
    document = kinds_of_three({1: 90, 2: 5})
    assert document["all"]["R@1"]["value"] is not None
    assert document["type=1"]["R@1"]["value"] is None


def test_withheld_cells_do_not_say_how_much_they_rest_on():
    document, _ = figures_of(*conversation(3), hidden=True)
    for cells in document.values():
        for cell in cells.values():
            if "labels are hidden" in cell.get("why", ""):
                assert set(cell) == {"value", "why"}


@pytest.mark.parametrize("seed", range(4))
def test_what_is_shown_leaves_no_small_remainder(seed):
    split, gold, predictions = conversation(seed, dialogues=150)
    document, found = figures_of(split, gold, predictions, hidden=True)
    turns = {name: set(np.flatnonzero(mask & found.frame.is_video).tolist())
             for name, mask in slices(found.frame).items()}  # fmt: skip
    shown = [name for name in turns if document[name]["R@1"]["value"] is not None]
    assert len(shown) > 10
    for one, other in itertools.permutations(shown, 2):
        if turns[one] <= turns[other]:
            assert not 0 < len(turns[other] - turns[one]) < 30, (one, other)
    for kind in ("turn", "type", "language", "source", "length", "target"):
        parts = [turns[name] for name in shown if name.startswith(f"{kind}=")]
        assert not 0 < len(turns["all"].difference(*parts)) < 30, kind


def test_figures_do_not_depend_on_the_order_of_dialogues():
    split, gold, predictions = conversation(11)
    document, _ = figures_of(split, gold, predictions)
    names = list(split.dialogues())
    random.Random(3).shuffle(names)
    order = sorted(range(len(gold)), key=lambda row: names.index(gold[row].dialogue_id))
    shuffled = replace(split, turns=tuple(split.turns[row] for row in order))
    again, _ = figures_of(
        shuffled, [gold[row] for row in order], [predictions[row] for row in order]
    )
    assert again.keys() == document.keys()
    for name, cells in document.items():
        for metric, cell in cells.items():
            defined = {key: part for key, part in cell.items() if isinstance(part, (int, float))}
            found = {key: again[name][metric][key] for key in defined}
            assert found == pytest.approx(defined, rel=1e-8), (name, metric)


def test_success_of_dialogues_that_share_a_video_counts_each_such_pair_in_full():
    # Eight dialogues; the second videos of 0 and 1, 2 and 3, ... are the same, and decide all.
    rows = [
        (f"d{n}", turn, 1, "en", "video", VIDEOS[n if turn == 1 else 8 + n // 2], {})
        for n in range(8)
        for turn in (1, 2)
    ]
    split, gold = make_split(rows)
    given = [
        Prediction(
            each.dialogue_id, each.turn, (each.video_id,) if row < 8 or each.turn == 1 else ()
        )
        for row, each in enumerate(gold)
    ]
    cell = figures_of(split, gold, given)[0]["all"]["success"]
    # Each dialogue moves the mean by a sixteenth; 16 ordered pairs share a video, in one direction.
    variance = 8 / 7 * 16 / 16**2
    size, t = 0.5 * 0.5 / variance, stats.t.ppf(0.975, 7)
    half = t * np.sqrt(0.25 / size + (t / (2 * size)) ** 2) / (1 + t**2 / size)
    assert cell["value"] == 0.5
    assert (cell["low"], cell["high"]) == pytest.approx((0.5 - half, 0.5 + half), abs=1e-9)
