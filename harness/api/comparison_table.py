"""Several submissions compared, each with each: paired differences with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from harness.api.benchmark_folder import BenchmarkPlace, inner
from harness.api.kinds import PathText
from harness.errors import WrongUsageError, did_you_mean
from harness.records import found_value

if TYPE_CHECKING:
    import pandas as pd

    from harness.comparison import Comparison
    from harness.comparison.differences import Difference


class ComparisonTable:
    """Differences of submissions, which are named by their folders.

    `print` shows all of it, as `ivcr compare` does. `submissions`: the folders' names by label
    (A, B, ...). `differences`: first minus second, of headline metrics overall and by turn number;
    fractions in [0, 1], with a 95 % interval, and p corrected over the pairs. `comparison`: the
    whole, as the packages below the API hold it (its moments are milliseconds).
    """

    def __init__(self, folders: Sequence[Path], comparison: Comparison) -> None:
        """Made by `compare`."""
        names = [folder.name for folder in folders]
        if len(set(names)) < len(names):
            names = [str(folder) for folder in folders]
        labels = [system.label for system in comparison.systems]
        self.comparison = comparison
        self.submissions = dict(zip(labels, names, strict=True))
        self.differences = tuple(
            replace(each, first=self.submissions[each.first], second=self.submissions[each.second])
            for each in comparison.differences
        )

    def __getitem__(self, metric: str) -> Difference:
        """The difference of two submissions in a metric over all turns.

        Raises WrongUsageError if there are more of them, or there is no such metric.
        """
        if len(self.submissions) > 2:
            raise WrongUsageError(
                f"comparison: expected two submissions, found {len(self.submissions)}; look into "
                "`differences`, or to_pandas()"
            )
        overall = {each.metric: each for each in self.differences if each.slice == "all"}
        if metric not in overall:
            hint = did_you_mean(str(metric), overall)
            raise WrongUsageError(
                f"comparison: no metric {found_value(metric)}; {hint}there are {', '.join(overall)}"
            )
        return overall[metric]

    def __str__(self) -> str:
        from harness.comparison.terminal import text_lines

        names = (f"{label} is {name}" for label, name in self.submissions.items())
        return "\n".join(chain(names, text_lines(self.comparison)))

    def __repr__(self) -> str:
        return f"<comparison of {', '.join(self.submissions.values())}>"

    def to_pandas(self) -> pd.DataFrame:
        """One row for each difference, with the fields of Difference as columns."""
        import msgspec
        import pandas as pd

        return pd.DataFrame([msgspec.structs.asdict(each) for each in self.differences])


def compare(
    submissions: Sequence[PathText],
    benchmark: BenchmarkPlace,
    split: str = "test",
    *,
    slices: Sequence[str] = (),
    small: bool = False,
) -> ComparisonTable:
    """Compare submissions, each with each, by paired tests over the same turns.

    slices: slices beside the usual ones, such as `tag=order`. small: whether turn numbers of few
    turns are shown. Raises WrongUsageError for fewer than two or an unknown slice, SubmissionError
    if one is not valid, EnvironmentFailure if one, the benchmark or its gold cannot be read.
    """
    from harness.comparison import compare as compare_folders

    if isinstance(submissions, str) or not isinstance(submissions, Sequence):
        raise WrongUsageError(
            f"compare: expected the folders of two submissions or more in a list, found "
            f"{found_value(submissions)}; give a list"
        )
    folders = [Path(each) for each in submissions]
    found = compare_folders(folders, inner(benchmark), split, further=slices, small=small)
    return ComparisonTable(folders, found)
