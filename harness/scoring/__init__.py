"""From a checked submission to scores.json: figures of every metric on every slice."""

from harness.scoring.document import Scored, accepted, design_of, score, signature
from harness.scoring.figures import figures
from harness.scoring.floors import Floor, best_floors
from harness.scoring.writing import write_outcomes, write_scores

__all__ = [
    "Floor",
    "Scored",
    "accepted",
    "best_floors",
    "design_of",
    "figures",
    "score",
    "signature",
    "write_outcomes",
    "write_scores",
]
