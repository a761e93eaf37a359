"""Reading replies in free text: candidate numbers and spans, in English and Chinese.

`candidate_number` and `span` are ours: they read what a person would read, or give the
reason why they cannot. `harness.replies.published_rules` reads as the published scorer does, with
its defects.
"""

from harness.replies.numbers import candidate_number
from harness.replies.reading import REASONS, Reading
from harness.replies.references import ReferenceReadings, reading_line
from harness.replies.spans import span

__all__ = ["REASONS", "Reading", "ReferenceReadings", "candidate_number", "reading_line", "span"]
