"""Kept columns: they spare unpacking, and no standing ever shows the difference."""

import os

import numpy as np
import pytest
from msgspec.structs import replace

from harness.errors import SubmissionError
from leaderboard.board import column_cache
from leaderboard.board.column_cache import ColumnCache, columns_path
from leaderboard.tables.ranked_table import tables
from leaderboard.tables.ranks import with_standings
from tests.leaderboard import generated
from tests.leaderboard.tables.test_ranks import DESIGN, RIGHT, TURNS, WEIGHTS, Runs

METRIC = generated.METRICS["R@1"]


class Kept:
    """Three runs, and the file of their columns between two builds."""

    def __init__(self, root):
        self.runs, self.path = Runs(root), root / "columns"

    def standing(self, cache=None):
        """The standing of their table; with the cache of the last build, which is then saved."""
        entries = self.runs.found().entries
        columns = ColumnCache(self.path) if cache is None else cache
        made = tables(entries, generated.METRICS)
        (table,) = with_standings(made, self.place, lambda: DESIGN, {}, columns=columns)
        columns.save([entry.result for entry in entries])
        return table.standing

    def place(self, entry):
        return self.runs.where(entry.card.system)

    def column(self, name):
        """A run's values by the file of the last build."""
        entry = next(row for row in self.runs.found().entries if row.card.system == name)
        return ColumnCache(self.path).turn_values(entry, METRIC, self.place(entry))


@pytest.fixture
def kept(tmp_path):
    return Kept(tmp_path)


@pytest.fixture
def unpacked(monkeypatch):
    """The names of the runs whose outcomes were unpacked."""
    names, original = [], column_cache.turn_values

    def turn_values(folder, *args, **settings):
        names.append(folder.name)
        return original(folder, *args, **settings)

    monkeypatch.setattr(column_cache, "turn_values", turn_values)
    return names


def test_a_kept_column_is_the_one_in_the_outcomes_to_the_last_bit(kept, unpacked):
    thirds = np.where(np.arange(TURNS) % 2, 1 / 3, 0.1)
    kept.runs.put("thirds", thirds)
    kept.standing()
    unpacked.clear()
    for name, right in {**RIGHT, "thirds": thirds}.items():
        found = kept.column(name)
        assert found.values.tobytes() == right.tobytes()
        assert found.weights.tobytes() == WEIGHTS.tobytes()
    assert not unpacked


def test_a_build_with_kept_columns_unpacks_what_changed_and_gives_the_same_standing(kept, unpacked):
    kept.standing()
    kept.runs.put("close", RIGHT["worst"])
    unpacked.clear()
    again = kept.standing()
    assert unpacked == ["close"]
    assert again == kept.standing(ColumnCache())
    assert again.ranges["team/close"] == (2, 3)


def test_a_column_of_a_file_that_changed_is_read_again(kept):
    """Outcomes written anew under the same result, of the same size and time of change."""
    path = kept.runs.where("close") / "scores.outcomes.npz"
    np.savez(path, **np.load(path))  # not compressed, so that all have one size
    kept.standing()
    before = path.stat()
    other = RIGHT["close"][::-1].copy()
    generated.outcomes(path.parent, {"R@1": (other, WEIGHTS)})
    np.savez(path, **np.load(path))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert kept.column("close").values.tolist() == other.tolist()
    path.unlink()
    assert kept.column("close") is None


@pytest.mark.parametrize("place", [0, 40, -1])
def test_a_file_of_columns_that_somebody_changed_is_ignored(kept, unpacked, place):
    expected = kept.standing()
    data = bytearray(kept.path.read_bytes())
    data[place] ^= 1
    for spoilt in (data, b""):
        kept.path.write_bytes(spoilt)
        unpacked.clear()
        assert kept.standing() == expected
        assert sorted(unpacked) == sorted(RIGHT)


def test_a_kept_column_that_sums_to_another_figure_is_refused(kept):
    kept.standing()
    entry = next(row for row in kept.runs.found().entries if row.card.system == "close")
    cell = entry.cell("R@1")
    entry.scores.metrics["all"]["R@1"] = replace(cell, value=cell.value - 0.001)
    with pytest.raises(SubmissionError, match=r"sums to another R@1"):
        ColumnCache(kept.path).turn_values(entry, METRIC, kept.place(entry))


def test_columns_of_runs_that_are_gone_are_not_kept(kept, unpacked):
    kept.standing()
    size, elsewhere = kept.path.stat().st_size, kept.runs.folder.parent / "close"
    kept.runs.where("close").rename(elsewhere)
    kept.standing()
    assert kept.path.stat().st_size < size
    elsewhere.rename(kept.runs.where("close"))
    unpacked.clear()
    kept.standing()
    assert unpacked == ["close"]


def test_each_board_has_a_file_of_its_own_in_the_results_folder(tmp_path):
    bench = generated.bench(tmp_path)
    others = [bench._replace(split="val"), bench._replace(fingerprint="0" * 64)]
    places = {columns_path(tmp_path / "results", each) for each in (bench, *others)}
    assert len(places) == 3
    assert {place.parent for place in places} == {tmp_path / "results"}
