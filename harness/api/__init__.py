"""The public Python API: open a benchmark, answer it, write, validate, score, compare.

    kinds <- declared_card, answers <- sessions <- benchmark_folder <- submission_folder
    these <- runs, score_table, comparison_table

`import harness as ivcr` has the same names; docs/python.md describes each. **Times are seconds**,
as in the files; every problem from outside is an exception of `harness.errors`. Each function hands
on to the packages below, which are imported when it is called.
"""

from baselines.base import Exchange, Query
from harness.api.benchmark_folder import (
    BenchmarkFolder,
    GoldAnswer,
    VideoInfo,
    open,  # noqa: A004 - as gzip and tarfile name it
)
from harness.api.comparison_table import ComparisonTable, compare
from harness.api.kinds import Answerable
from harness.api.runs import System, run, run_baseline
from harness.api.score_table import FigureMap, MetricFigure, ScoreTable, SliceMap, score
from harness.api.sessions import Dialogues, DialogueSession, TurnSession
from harness.api.submission_folder import validate, write
from harness.errors import EnvironmentFailure, IvcrError, SubmissionError, WrongUsageError

__all__ = [
    "Answerable",
    "BenchmarkFolder",
    "ComparisonTable",
    "DialogueSession",
    "Dialogues",
    "EnvironmentFailure",
    "Exchange",
    "FigureMap",
    "GoldAnswer",
    "IvcrError",
    "MetricFigure",
    "Query",
    "ScoreTable",
    "SliceMap",
    "SubmissionError",
    "System",
    "TurnSession",
    "VideoInfo",
    "WrongUsageError",
    "compare",
    "open",
    "run",
    "run_baseline",
    "score",
    "validate",
    "write",
]
