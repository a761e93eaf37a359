"""From a checked submission to scores.json: figures of every metric on every slice."""

from harness.scoring.document import (
    SCORER,
    ScoringResult,
    SplitScorer,
    design_of,
    require_valid,
    score,
    signature,
)
from harness.scoring.figures import figures
from harness.scoring.floors import Floor, best_floors
from harness.scoring.summary import summary
from harness.scoring.writing import score_to_files, write_outcomes, write_scores

__all__ = [
    "SCORER",
    "Floor",
    "ScoringResult",
    "SplitScorer",
    "best_floors",
    "design_of",
    "figures",
    "require_valid",
    "score",
    "score_to_files",
    "signature",
    "summary",
    "write_outcomes",
    "write_scores",
]
