"""Reading replies in free text or JSON: candidate numbers and spans, in English and Chinese.

`candidate_number`, `candidate_numbers` and `span` are ours: they read what a person would read, or
give the reason why they cannot; `response` gives the words to the user.
`harness.replies.published_rules` reads as the published scorer does, with its defects.
"""

from harness.replies.answers import candidate_number, candidate_numbers, response, span
from harness.replies.reading import REASONS, Reading
from harness.replies.references import ReferenceReadings, reading_line

__all__ = [
    "REASONS",
    "Reading",
    "ReferenceReadings",
    "candidate_number",
    "candidate_numbers",
    "reading_line",
    "response",
    "span",
]
