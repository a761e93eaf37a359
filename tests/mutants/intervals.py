"""Planted bugs of intervals, tests and the detectable difference.

Each row: the bug, its file, the text that stands there once, the text with the bug, the tests.
"""

STATISTICS = ("tests/statistics",)
INTERVALS = (
    (
        "pairs of dialogues that share a video counted in part",
        "harness/metrics/metric.py",
        'return self.scope == "dialogue"',
        "return False",
        ("tests/test_scoring.py", "tests/comparison/test_differences.py"),
    ),
    (
        "no variance seen taken for certainty",
        "harness/statistics/intervals.py",
        "return np.where(plain, seen, spread.clusters)",
        "return np.where((places > 0) & (places < 1), np.inf, spread.clusters)",
        STATISTICS,
    ),
    (
        "videos forgotten in the test",
        "harness/statistics/pairs.py",
        "variance = np.maximum(unit + video - cell, np.maximum(unit, video))",
        "variance = unit",
        STATISTICS,
    ),
    (
        "videos forgotten in the draws",
        "harness/statistics/boards.py",
        "sums = np.concatenate([found.by_unit, found.by_video])",
        "sums = np.concatenate([found.by_unit, 0 * found.by_video])",
        STATISTICS,
    ),
    (
        "copies make the detectable difference small",
        "harness/statistics/boards.py",
        "steps = steps[(steps != 0).any(axis=1)]",
        "steps = steps[:]",
        STATISTICS,
    ),
)
