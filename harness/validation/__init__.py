"""Validation of submissions: will a file be accepted, and if not, what is to be changed."""

from harness.validation.checking import Checked, check
from harness.validation.report import Problem, Report
from harness.validation.rules.rule import RULES, Rule

__all__ = ["RULES", "Checked", "Problem", "Report", "Rule", "check"]
