"""Benchmark harness for interactive video search: validation, metrics, statistics, protocols.

`import harness as ivcr` is the Python API (harness.api, docs/python.md). Its names are loaded when
they are first used, so that the import alone costs nothing.
"""

from typing import TYPE_CHECKING

from harness.version import __version__

if TYPE_CHECKING:
    from harness.api import (
        Answerable,
        BenchmarkFolder,
        ComparisonTable,
        Dialogues,
        DialogueSession,
        EnvironmentFailure,
        Exchange,
        FigureMap,
        GoldAnswer,
        IvcrError,
        MetricFigure,
        Query,
        ScoreTable,
        SliceMap,
        SubmissionError,
        System,
        TurnSession,
        VideoInfo,
        WrongUsageError,
        compare,
        open,  # noqa: A004 - as gzip and tarfile name it
        run,
        run_baseline,
        score,
        validate,
        write,
    )

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
    "__version__",
    "compare",
    "open",
    "run",
    "run_baseline",
    "score",
    "validate",
    "write",
]

# A type checker has the names from above; with this it would take any other name, too.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """A name of the API, on its first use."""
        if name not in __all__:
            raise AttributeError(f"module 'harness' has no attribute {name!r}")
        from importlib import import_module

        globals()[name] = getattr(import_module("harness.api"), name)
        return globals()[name]

    def __dir__() -> list[str]:
        """The module's own names and those of the API."""
        return sorted({*globals(), *__all__})
