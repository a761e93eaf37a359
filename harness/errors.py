"""What can go wrong from outside, by exit code; anything else is a bug and keeps its traceback."""


class IvcrError(Exception):
    """A problem the user can mend, in one line: place, expectation, finding, next step."""

    exit_code = 3


class SubmissionError(IvcrError):
    """Something is wrong with what was submitted (exit code 1)."""

    exit_code = 1


class WrongUsageError(IvcrError):
    """The command cannot be carried out as it was asked (exit code 2)."""

    exit_code = 2


class EnvironmentFailure(IvcrError):  # noqa: N818 - the field's word for a failed disk or network
    """A path, disk or network failed (exit code 3)."""

    exit_code = 3
