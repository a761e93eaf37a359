"""Planted bugs of outcomes, metrics, statistics and propagation."""

METRICS = ("tests/metrics", "tests/test_scoring.py")
STATISTICS = ("tests/statistics",)
SCORING = (
    (
        "rank off by one",
        "harness/outcomes/columns.py",
        "given.videos.index(answer.video_id, 0, RANK_LIMIT) + 1",
        "given.videos.index(answer.video_id, 0, RANK_LIMIT)",
        METRICS,
    ),
    (
        "> for >= (IoU)",
        "harness/temporal.py",
        "10 * self.intersection >= tenths * self.union",
        "10 * self.intersection > tenths * self.union",
        METRICS,
    ),
    (
        "> for >= (rank)",
        "harness/metrics/retrieval.py",
        "return _over_videos(outcomes, outcomes.rank <= k)",
        "return _over_videos(outcomes, outcomes.rank < k)",
        METRICS,
    ),
    (
        "abstentions dropped",
        "harness/metrics/retrieval.py",
        "    turns = outcomes.frame.is_video\n",
        "    turns = outcomes.frame.is_video & (outcomes.rank < ABSENT_RANK)\n",
        METRICS,
    ),
    (
        "turns resampled instead of units",
        "harness/statistics/units.py",
        "alone = np.where(codes == CONCATENATION, np.arange(len(codes)), -1)",
        "alone = np.arange(len(codes))",
        STATISTICS,
    ),
    (
        "wrong denominator (all video turns)",
        "harness/metrics/retrieval.py",
        "return _chosen(outcomes, outcomes.has_candidates)",
        "return _chosen(outcomes, outcomes.frame.is_video)",
        METRICS,
    ),
    (
        "wrong denominator (all turns)",
        "harness/metrics/metric.py",
        "weight = np.where(counted, weights, 0.0)",
        "weight = np.ones(len(counted)) * weights",
        METRICS,
    ),
    (
        "history swapped (what the runner shows)",
        "baselines/running/views.py",
        'if self.history == "own":',
        'if self.history == "reference":',
        ("tests/baselines/running/test_runner.py",),
    ),
    (
        "history swapped (propagation)",
        "harness/comparison/propagation.py",
        "after_first_error(frame, own.right)",
        "after_first_error(frame, reference.right)",
        ("tests/comparison/test_propagation.py",),
    ),
    (
        "float instead of integer time (thresholds)",
        "harness/temporal.py",
        "10 * self.intersection >= tenths * self.union",
        "self.intersection / 1000 / (self.union / 1000) >= tenths / 10",
        METRICS,
    ),
    (
        "float instead of integer time (reading)",
        "harness/records.py",
        "return round(seconds * 1000)",
        "return seconds * 1000",
        ("tests/metrics", "tests/validation", "tests/sources/test_ivcr200k.py"),
    ),
    (
        "chat turn counted as failure",
        "harness/outcomes/frame.py",
        "return self.retrieval & dependent",
        "return dependent",
        ("tests/metrics", "tests/comparison"),
    ),
    (
        "type 7 in dialogue metrics",
        "harness/outcomes/frame.py",
        "return self.retrieval & dependent",
        "return self.retrieval",
        ("tests/metrics", "tests/comparison"),
    ),
    (
        "unseeded draw",
        "harness/statistics/design.py",
        "np.random.PCG64(self.seed)",
        "np.random.PCG64()",
        STATISTICS,
    ),
)
