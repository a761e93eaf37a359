"""Slices: the turns of a frame that a figure is over. One slice for every value that occurs."""

from __future__ import annotations

from typing import Literal

import numpy as np

from harness.outcomes import NEW, REPEATED, Bools, Frame

# The unit of a metric: turns, whole dialogues, segments, or the turns of segments.
Scope = Literal["turn", "dialogue", "segment", "segment turn"]
COHORT = 4  # dialogues of at least so many turns; beyond turn 4 they are no longer the same ones


def slices(frame: Frame, scope: Scope = "turn") -> dict[str, Bools]:
    """The turns of each slice by its name, (turns,), in the order in which they are written.

    Metrics of turns have all slices; those of dialogues `all`, `type=`, `length=`, and `language=`
    for dialogues of one language; those of segments have the same at the segments' last turns;
    metrics of the turns of segments have `segment_turn=` too.
    """
    if scope == "turn":
        return _turn_slices(frame)
    parts = _dialogue_slices(frame)
    if scope == "dialogue":
        return parts
    parts = _occurring({name: turns & frame.segments.last for name, turns in parts.items()})
    if scope == "segment turn":
        place = frame.segments.turn
        parts |= {f"segment_turn={n}": place == n for n in np.unique(place[place > 0])}
    return parts


def _turn_slices(frame: Frame) -> dict[str, Bools]:
    parts = {"all": np.ones(len(frame.turn), dtype=bool)}
    parts |= {f"turn={n}": frame.turn == n for n in np.unique(frame.turn)}
    parts |= {f"type={code}": frame.type == code for code in np.unique(frame.type)}
    parts |= {
        f"language={name}": frame.language == code for code, name in enumerate(frame.languages)
    }
    # An id without a slash names no source.
    parts |= {
        f"source={name}": frame.source == code for code, name in enumerate(frame.sources) if name
    }
    parts |= {f"length={n}": frame.length == n for n in np.unique(frame.length)}
    parts["target=new"] = frame.target == NEW
    parts["target=repeated"] = frame.target == REPEATED
    parts |= {f"tag={name}": tagged for name, tagged in frame.tags.items()}
    cohort = frame.length >= COHORT
    parts |= {f"cohort{COHORT}:turn={n}": cohort & (frame.turn == n) for n in range(1, COHORT + 1)}
    return _occurring(parts)


def _dialogue_slices(frame: Frame) -> dict[str, Bools]:
    whole = ("all", "type=", "length=", "language=")
    parts = {name: turns for name, turns in _turn_slices(frame).items() if name.startswith(whole)}
    for name in frame.languages:
        parts[f"language={name}"] = parts[f"language={name}"] & frame.one_language
    return _occurring(parts)


def _occurring(parts: dict[str, Bools]) -> dict[str, Bools]:
    return {name: turns for name, turns in parts.items() if name == "all" or turns.any()}
