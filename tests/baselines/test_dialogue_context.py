"""What the dialogue so far adds to a query."""

import pytest

from baselines.base import Exchange, Query
from baselines.dialogue_context import check_context, utterances, video_in_focus
from harness.errors import WrongUsageError


def query(*videos, given=None):
    history = tuple(
        Exchange("video", f"said {n}", "answer", video, ()) for n, video in enumerate(videos, 1)
    )
    return Query("d", len(videos) + 1, "en", "video", "now", video_id=given, history=history)


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ("last", [("now", 1)]),
        ("all", [("said 1", 1), ("said 2", 1), ("now", 1)]),
        ("decayed", [("said 1", 1 / 4), ("said 2", 1 / 2), ("now", 1)]),
    ],
)
def test_contexts_weigh_utterances_by_age(context, expected):
    assert list(utterances(query("a", "b"), context)) == expected


@pytest.mark.parametrize("context", ["all", "decayed"])
def test_a_context_of_earlier_turns_needs_a_history(context):
    with pytest.raises(WrongUsageError, match="history none does not show"):
        check_context(context, "none")


@pytest.mark.parametrize(
    ("videos", "given", "expected"),
    [
        ((), None, None),
        (("a", "b"), None, "b"),
        (("a", None), None, "a"),
        (("a", "b"), "c", "c"),
        ((None,), None, None),
    ],
)
def test_the_video_in_focus_is_the_given_one_else_the_latest_named(videos, given, expected):
    assert video_in_focus(query(*videos, given=given)) == expected
