"""Answers for tests that are about something else than what is answered."""

from harness.records import Prediction


def same_videos(turns, videos, response=""):
    """Predictions that rank the same videos in each video turn and find no moment."""
    return [
        Prediction(
            *turn.key,
            videos=videos if turn.task == "video" else None,
            moments=() if turn.task == "moment" else None,
            response=response if turn.task == "chat" else None,
        )
        for turn in turns
    ]
