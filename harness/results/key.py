"""What a result depends on, as one hash: whatever differs in it is another result."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from harness.benchmark import Benchmark
from harness.errors import SubmissionError
from harness.files import canonical
from harness.scoring import SCORER
from harness.submission import CARD, PREDICTIONS, SubmissionDigest
from harness.validation.reading.card_file import card_bytes
from harness.validation.reading.folder import most_bytes, predictions_file
from harness.validation.reading.source import read_chunks
from harness.validation.rules.rule import Fault

LIBRARIES = ("numpy", "sacrebleu")  # their versions stand in a signature


class ScoredWith(NamedTuple):
    """What may differ from one scoring of a submission to the next."""

    fingerprint: str | None
    gold_sha256: str | None
    scorer: str | None

    @classmethod
    def now(cls, benchmark: Benchmark, split: str) -> ScoredWith:
        """The present benchmark and scorer."""
        header = benchmark.header
        return cls(header.fingerprint, header.gold_sha256.get(split), scorer_line())


def result_key(
    sha256: str, benchmark: Benchmark, split: str, scored_with: ScoredWith | None = None
) -> str:
    """SHA-256 (hex) over a submission's hash, the split, its labels and the scorer.

    `scored_with`: those of an earlier scoring; by default the present ones.
    """
    header = benchmark.header
    fingerprint, gold, scorer = scored_with or ScoredWith.now(benchmark, split)
    parts = {
        "submission": sha256,
        "name": header.name,
        "version": header.version,
        "fingerprint": fingerprint,
        "gold": gold,
        "split": split,
        "labels": benchmark.labels(split),
        "scorer": scorer,
    }
    return hashlib.sha256(canonical(parts)).hexdigest()


@cache
def scorer_line() -> str:
    """SCORER with the libraries whose versions a signature names: figures of two never mix."""
    return " ".join((SCORER, *(f"{name}:{version(name)}" for name in LIBRARIES)))


def submission_sha256(folder: Path, turns: int) -> str:
    """The SHA-256 of a submission (see SubmissionDigest), without a look at what it says.

    `turns` of the split bound what is read. Raises SubmissionError if card or predictions are not
    there or cannot be read.
    """
    digest = SubmissionDigest()
    try:
        digest.file(CARD).update(card_bytes(folder))
        predictions = digest.file(PREDICTIONS[0])
        for chunk in read_chunks(folder / predictions_file(folder), most_bytes(turns)):
            predictions.update(chunk)
    except Fault as fault:
        raise SubmissionError(f"{folder}: {fault.text} [{fault.code}]") from fault
    return digest.hexdigest()
