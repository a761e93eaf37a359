"""A benchmark of 150 dialogues, and runs on it as arrays."""

import numpy as np

from harness.probes.runs import ProbedRun

DIALOGUES = [(1, f"v{n * 7 % 60} m{n * 7 % 60}") for n in range(150)]


def scores(field, seed, ability, common=None):
    """(turns, corpus): what the system finds by itself, what all find, and the gold."""
    rng = np.random.default_rng(seed)
    turns, corpus = len(field.gold), len(field.split.corpus)
    own = rng.standard_normal((turns, corpus))
    gold = field.target[:, :1] == np.arange(corpus)
    return own + ability * gold + (0 if common is None else common)


def run(name, values, moment=None, chosen=None):
    """A run of the team `name`."""
    order = np.argsort(-values, axis=1)[:, :100]
    ranking = np.full((len(values), 100), -1, dtype=np.int32)
    ranking[:, : order.shape[1]] = order
    none = np.full((len(values), 3), -1, dtype=np.int64)
    return ProbedRun(
        f"{name}/run",
        name,
        ranking,
        none if moment is None else moment,
        none[:, 0] if chosen is None else chosen,
    )


def honest(field, number, common=None):
    """Runs that were made apart, of unlike ability."""
    return [
        run(f"team{seed}", scores(field, seed, 0.5 + seed % 4, common)) for seed in range(number)
    ]
