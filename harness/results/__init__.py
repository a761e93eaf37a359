"""What the organizers' own build computed: scores by submission, benchmark and scorer."""

from harness.results.batch import Invalid, Outcome, Scored, ScoringFault, score_all
from harness.results.key import ScoredWith, result_key, scorer_line, submission_sha256
from harness.results.store import ResultsFolder, StoredResult

__all__ = [
    "Invalid",
    "Outcome",
    "ResultsFolder",
    "Scored",
    "ScoredWith",
    "ScoringFault",
    "StoredResult",
    "result_key",
    "score_all",
    "scorer_line",
    "submission_sha256",
]
