"""Coverage of the metrics of whole dialogues, on the graphs of real text and of IVCR-Mini.

    python -m tests.bench.coverage_dialogues ../shared/data BENCHMARK

BENCHMARK: IVCR-Mini, as `ivcr data mini` makes it. Prints the table of dialogue metrics in
docs/statistics.md (about ten minutes).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scipy.special import ndtri

from harness.metrics.dialogues import difference, fewer
from harness.metrics.survival import at_risk_last, restricted_mean, survives
from harness.statistics import Design, Figure
from tests.bench.boards import mini, whole_dialogues
from tests.bench.coverage import pooled
from tests.bench.simulation import EFFECTS, SEED, Count, Floats, Slice, head, latent, row
from tests.statistics.graphs import Graph, official

TRIALS = 400
RATES = (0.1, 0.5, 0.9)
SHARES = {**EFFECTS, "video 50 %": (0.0, 0.5, 0.0)}
LAST = 7
# Right or wrong (turns, trials) and the slice, to the table (k, turns, trials) of a figure.
Table = Callable[[Floats, Slice], Floats]
Size = Callable[[Floats], float]


def whole(right: Floats, turns: Slice) -> Floats:
    """success: all turns of the dialogue are right."""
    failed = _by_dialogue(1 - right, turns)[turns.unit]
    return _evenly(failed == 0, turns)


def turns_right(right: Floats, turns: Slice) -> Floats:
    """The share of the dialogue's turns that are right."""
    return _evenly(right, turns)


def cascade(right: Floats, turns: Slice) -> Floats:
    """Right turns without an earlier failure."""
    return np.stack([right * (_earlier(1 - right, turns) == 0), np.ones_like(right)])


def recovery(right: Floats, turns: Slice) -> Floats:
    """Right turns among those with an earlier failure."""
    after = (_earlier(1 - right, turns) > 0).astype(float)
    return np.stack([right * after, after])


def after(right: Floats, turns: Slice) -> Floats:
    """Right turns among those that follow a right one."""
    before = np.roll(right, 1, axis=0) * (turns.place > 1)[:, None]
    return np.stack([right * before, before])


def dependence(right: Floats, turns: Slice) -> Floats:
    """The same after a right and after a wrong turn."""
    return np.concatenate([after(right, turns), _after_wrong(right, turns)])


def survival(right: Floats, turns: Slice) -> Floats:
    """By place, dialogues at risk; then, those that fail there."""
    alive = _earlier(1 - right, turns) == 0
    at = turns.place[:, None] == np.arange(1, LAST + 1)[:, None, None]  # (places, turns, 1)
    risk = at * alive
    return np.concatenate([risk, risk * (1 - right)])


def first_three(sums: Floats) -> Floats:
    """S@3 of the sums of `survival`."""
    return np.asarray(survives(_three(sums)))


def _three(sums: Floats) -> Floats:
    return np.concatenate([sums[:3], sums[LAST : LAST + 3]])


MEANS: dict[str, Table] = {
    "success": whole,
    "turns_right": turns_right,
    "cascade": cascade,
    "recovery": recovery,
    "P(right\\|right)": after,
}
# With their bounds and the number below which they are undefined (see METRICS).
SMOOTH: dict[str, tuple[Table, Figure, tuple[float, float], Size]] = {
    "dependence": (dependence, difference, (-1.0, 1.0), fewer),
    "S@3": (survival, first_three, (0.0, 1.0), lambda sums: at_risk_last(_three(sums))),
    f"RMST@{LAST}": (survival, restricted_mean, (0.0, float(LAST)), at_risk_last),
}


def covered(turns: Slice, whole_units: bool) -> Iterator[tuple[str, list[Count]]]:
    """By metric, the coverage in each cell of effects and rates."""
    design, cells = turns.design(), []
    for number, shares in enumerate(SHARES.values()):
        for rate in RATES:
            rng = np.random.default_rng([SEED, number, int(100 * rate)])
            cells.append((latent(rng, turns, shares, TRIALS) < ndtri(rate)).astype(float))
    for name, table in MEANS.items():
        yield name, [_means(design, table(right, turns), whole_units) for right in cells]
    for name, (table, *of) in SMOOTH.items():
        yield (
            name,
            [
                _each(design, table(right[:, : TRIALS // 2], turns), *of, whole_units)
                for right in cells
            ],
        )


def _means(design: Design, table: Floats, whole_units: bool) -> Count:
    above, below = table.sum(axis=(1, 2))
    found = design.ratios(table[0].T, table[1].T, whole_units=whole_units)
    defined = ~np.isnan(found.lows)
    held = (found.lows <= above / below) & (above / below <= found.highs)
    return Count(int(np.count_nonzero(held)), int(np.count_nonzero(defined)))


def _each(
    design: Design,
    table: Floats,
    figure: Figure,
    bounds: tuple[float, float],
    size: Size,
    whole_units: bool,
) -> Count:
    truth = float(figure(table.sum(axis=(1, 2))))
    held = [
        found.low <= truth <= found.high
        for found in (
            design.smooth(figure, table[..., trial], bounds, whole_units=whole_units)
            for trial in range(table.shape[2])
            if size(table[..., trial].sum(axis=1)) > 0
        )
        if found.low is not None and found.high is not None
    ]
    return Count(sum(held), len(held))


def _by_dialogue(values: Floats, turns: Slice) -> Floats:
    sums = np.zeros((turns.unit.max() + 1, values.shape[1]))
    np.add.at(sums, turns.unit, values)
    return sums


def _earlier(failed: Floats, turns: Slice) -> Floats:
    """(turns, trials) failures before the turn in its dialogue."""
    before = np.cumsum(failed, axis=0) - failed
    first = np.flatnonzero(turns.place == 1)
    return before - before[first][turns.unit]


def _evenly(values: Floats, turns: Slice) -> Floats:
    weights = np.broadcast_to(1 / np.bincount(turns.unit)[turns.unit][:, None], values.shape)
    return np.stack([values * weights, weights])


def _after_wrong(right: Floats, turns: Slice) -> Floats:
    before = np.roll(1 - right, 1, axis=0) * (turns.place > 1)[:, None]
    return np.stack([right * before, before])


def linked(data: Path) -> Graph:
    """The real test dialogues but those of type 7."""
    turns = official(data / "charades-ivcr.test.json.gz")
    kept = turns.type != 7
    return Graph(turns.dialogue[kept], turns.video[kept])


def main(data: Path, benchmark: Path) -> None:
    """Print the table."""
    graphs = {"real text": linked(data), "IVCR-Mini": mini(benchmark, linked=True)}
    head("graph", "dialogue metric", "two-way alone", "**default**", "the 21 cells: least", "least")
    for name, graph in graphs.items():
        turns = whole_dialogues(graph)
        pairs = zip(covered(turns, False), covered(turns, True), strict=True)
        for (metric, plain), (_, full) in pairs:
            least = [
                min(cells, key=lambda count: count.held / count.trials) for cells in (plain, full)
            ]
            row(name, metric, pooled(plain), pooled(full), *least)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
