"""A run in which most turns have no answer says so, with the commonest reason and advice."""

import pytest

from baselines.running.abstentions import ADVICE, warning
from harness.chat.usage import ABSTAINED, REQUESTS, UNANSWERED
from harness.replies.reading import CUT_OFF, NO_NUMBER


def test_the_commonest_reason_and_what_to_change_are_named():
    usage = {REQUESTS: 10, ABSTAINED + NO_NUMBER: 2, UNANSWERED + CUT_OFF: 4}
    line = warning(usage, 10)
    assert line.startswith("WARNING: 6 of 10 turns have no answer, most often (4): cut off at")
    assert "raise max_tokens" in line
    assert "max_completion_tokens" in line


@pytest.mark.parametrize("count", [0, 5])
def test_half_of_the_turns_are_not_most(count):
    assert warning({REQUESTS: 10, ABSTAINED + NO_NUMBER: count}, 10) is None


def test_a_reason_without_advice_is_named_alone():
    line = warning({f"{ABSTAINED}no video to look into": 1_000}, 1_500)
    assert line.endswith("most often (1,000): no video to look into")


@pytest.mark.parametrize("why", ADVICE)
def test_every_advice_is_one_line(why):
    assert ADVICE[why].isprintable()
