"""Validation of submissions: will a file be accepted, and if not, what is to be changed.

    report, suggestions <- public <- rules <- problem_log <- reading <- checking, inspection, page

`report` holds the result and the words for names; `public` what participants see of a split;
`rules` the table of rules and their checks, over values that are read already; `reading` opens a
submission's files and applies the rules to them; `checking` is the one pass over all of it. Each
imports those before it and none after it; no module imports this package itself.
"""

from harness.validation.checking import CheckedAnswer, CheckResult, check, check_answer, check_line
from harness.validation.public import PublicSplit, public_of, read_public
from harness.validation.report import Problem, Report
from harness.validation.rules.rule import Rule
from harness.validation.rules.rule_table import RULES

__all__ = [
    "RULES",
    "CheckResult",
    "CheckedAnswer",
    "Problem",
    "PublicSplit",
    "Report",
    "Rule",
    "check",
    "check_answer",
    "check_line",
    "public_of",
    "read_public",
]
