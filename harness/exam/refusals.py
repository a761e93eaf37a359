"""What an exam refuses, each kind with its code and the HTTP status that goes with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.errors import IvcrError


class ExamRefusal(IvcrError):  # noqa: N818 - what a server does with a request
    """A request that is not carried out; nothing was stored.

    `status`: of HTTP; `code`: one word for programs; `details`: more for programs.
    """

    status = 400
    code = "bad_request"

    def __init__(self, text: str, details: Mapping[str, Any] | None = None) -> None:
        """`text`: place, expectation, finding, next step."""
        super().__init__(text)
        self.details = dict(details or {})


class NotSignedInError(ExamRefusal):
    """No token, or one that is not known, not valid any more, or revoked."""

    status = 401
    code = "not_signed_in"


class ForbiddenError(ExamRefusal):
    """What the rules of the challenge do not allow this team."""

    status = 403
    code = "forbidden"


class UnknownExamError(ExamRefusal):
    """No exam of this id, or one of another team."""

    status = 404
    code = "unknown_exam"


class ConflictError(ExamRefusal):
    """A request that contradicts what was stored before."""

    status = 409
    code = "conflict"


class AnsweredError(ConflictError):
    """A turn that has another answer already."""

    code = "answered"


class TurnNotOpenError(ConflictError):
    """A turn that is not open: not dealt, or an earlier turn of its dialogue is not answered."""

    code = "turn_not_open"


class TurnsOpenError(ConflictError):
    """An exam that cannot be finished while turns are open."""

    code = "turns_open"


class ExamOverError(ExamRefusal):
    """An exam that takes no answers any more: finished, voided, or past its deadline."""

    status = 410
    code = "exam_over"


class InvalidAnswerError(ExamRefusal):
    """An answer that validation refuses; `problems`: each with its rule and what is wrong."""

    status = 422
    code = "invalid_answer"

    def __init__(self, text: str, problems: Sequence[Mapping[str, str]]) -> None:
        """`problems`: those of validation."""
        super().__init__(text, {"problems": list(problems)})


class ServerClosingError(ExamRefusal):
    """A server that is being stopped: nothing was stored, and the same request may come again."""

    status = 503
    code = "closing"


class StorageFullError(ExamRefusal):
    """The database could not write: nothing was stored, and the same request may come again."""

    status = 507
    code = "not_stored"
