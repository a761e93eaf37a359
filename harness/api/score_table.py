"""The scores of a submission: figures with intervals, by slice and metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from harness.api.benchmark_folder import BenchmarkPlace, inner
from harness.api.kinds import PathText
from harness.errors import WrongUsageError, did_you_mean
from harness.records import found_value

if TYPE_CHECKING:
    import pandas as pd

    from harness.scoring import Floor, ScoringResult


class MetricFigure(Struct, frozen=True):
    """A metric on a slice: its value with its 95 % interval, and what it rests on.

    Fractions are in [0, 1]; docs/metrics.md has each metric's unit. `value` is None where it is
    undefined or withheld, and `why` says so; `low` and `high` are None where there is no interval.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    turns: int | None = None
    dialogues: int | None = None
    why: str | None = None


class UnknownFigureError(WrongUsageError, KeyError):
    """There is no metric, or no slice, of that name (exit code 2)."""

    def __str__(self) -> str:
        return str(self.args[0])


class FigureMap(Mapping[str, MetricFigure]):
    """Figures by metric, on one slice."""

    def __init__(self, name: str, cells: Mapping[str, Mapping[str, Any]]) -> None:
        """`name`: the slice's; `cells`: by metric the values of a MetricFigure."""
        self.name = name
        self._figures = {metric: MetricFigure(**cell) for metric, cell in cells.items()}

    def __getitem__(self, metric: str) -> MetricFigure:
        if metric not in self._figures:
            raise _unknown("metric", metric, self._figures)
        return self._figures[metric]

    def __iter__(self) -> Iterator[str]:
        return iter(self._figures)

    def __len__(self) -> int:
        return len(self._figures)


class SliceMap(Mapping[str, FigureMap]):
    """Figures by slice: `all`, `turn=1`, `type=3`, `language=zh` ..."""

    def __init__(self, metrics: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
        """`metrics`: as scores.json holds them."""
        self._slices = {name: FigureMap(name, cells) for name, cells in metrics.items()}

    def __getitem__(self, name: str) -> FigureMap:
        if name not in self._slices:
            raise _unknown("slice", name, self._slices)
        return self._slices[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._slices)

    def __len__(self) -> int:
        return len(self._slices)


class ScoreTable(Mapping[str, MetricFigure]):
    """The scores of one submission: by metric over all turns, and by slice in `slices`.

    `print` shows the headline figures, each beside the best floor of its kind. `slices`: figures by
    slice, then metric. `document`: scores.json. `floors`: by metric the best floor of the same
    kind: a baseline that reads no query; empty where the benchmark's folder holds none.
    """

    def __init__(self, scored: ScoringResult, floors: Mapping[str, Floor]) -> None:
        """Made by `score`."""
        self._scored = scored
        self.document: dict[str, Any] = scored.document
        self.floors = floors
        self.slices = SliceMap(self.document["metrics"])

    def __getitem__(self, metric: str) -> MetricFigure:
        return self.slices["all"][metric]

    def __iter__(self) -> Iterator[str]:
        return iter(self.slices["all"])

    def __len__(self) -> int:
        return len(self.slices["all"])

    def __str__(self) -> str:
        from harness.scoring import summary

        return "\n".join(summary(self.document, self.floors))

    def __repr__(self) -> str:
        about = self.document["submission"]
        return f"<scores of {about['system']} by {about['team']}: {len(self)} metrics>"

    @property
    def signature(self) -> str:
        """All that the figures depend on, in one line."""
        return str(self.document["signature"])

    def write(self, out: PathText) -> Path:
        """Write scores.json to the file `out`; returns its path.

        Raises EnvironmentFailure if it cannot be written.
        """
        from harness.scoring import write_scores

        write_scores(self._scored, Path(out))
        return Path(out)

    def to_pandas(self) -> pd.DataFrame:
        """One row for each slice and metric; undefined values are NaN.

        Columns: slice, metric, value, low, high, turns, dialogues, why.
        """
        import pandas as pd

        rows = [
            (name, metric, *(getattr(figure, field) for field in MetricFigure.__struct_fields__))
            for name, figures in self.slices.items()
            for metric, figure in figures.items()
        ]
        return pd.DataFrame(rows, columns=["slice", "metric", *MetricFigure.__struct_fields__])


def score(
    submission: PathText, benchmark: BenchmarkPlace, split: str = "test", *, partial: bool = False
) -> ScoreTable:
    """Validate and score a submission; nothing is written. Needs the split's gold.

    partial: missing turns count as abstentions. Raises SubmissionError with the first problem if
    the submission is not valid, EnvironmentFailure if it, the benchmark or its gold cannot be read.
    """
    from harness.scoring import best_floors
    from harness.scoring import score as score_folder

    folder = inner(benchmark)
    scored = score_folder(Path(submission), folder, split, partial=partial)
    return ScoreTable(scored, best_floors(folder.folder / "floors", scored.document))


def _unknown(kind: str, name: object, known: Mapping[str, Any]) -> UnknownFigureError:
    hint = did_you_mean(str(name), known)
    return UnknownFigureError(
        f"scores: no {kind} {found_value(name)}; {hint}there are {', '.join(known)}"
    )
