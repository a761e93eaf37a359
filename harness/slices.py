"""Slices: which turns of a frame a figure is over. One slice for every value that occurs."""

from __future__ import annotations

from typing import Literal

import numpy as np

from harness.outcomes import NEW, REPEATED, Bools, Frame

# What a metric's rows are: turns, whole dialogues, segments, or the turns of segments.
Scope = Literal["turn", "dialogue", "segment", "segment turn"]
COHORT = 4  # dialogues of at least so many turns; beyond turn 4 they are no longer the same ones


def slices(frame: Frame, scope: Scope = "turn") -> dict[str, Bools]:
    """The turns of each slice by its name, (turns,), in the order in which they are written.

    Metrics of turns have all slices; those of dialogues `all`, `type=`, `length=`, and `language=`
    for dialogues of one language; those of segments the same at the segments' last turns, and, if
    they are given turn by turn, `segment_turn=` besides.
    """
    if scope == "turn":
        return _of_turns(frame)
    found = _of_dialogues(frame)
    if scope == "dialogue":
        return found
    found = _some({name: turns & frame.segments.last for name, turns in found.items()})
    if scope == "segment turn":
        place = frame.segments.turn
        found |= {f"segment_turn={n}": place == n for n in np.unique(place[place > 0])}
    return found


def _of_turns(frame: Frame) -> dict[str, Bools]:
    found = {"all": np.ones(len(frame.turn), dtype=bool)}
    found |= {f"turn={n}": frame.turn == n for n in np.unique(frame.turn)}
    found |= {f"type={code}": frame.type == code for code in np.unique(frame.type)}
    found |= {
        f"language={name}": frame.language == code for code, name in enumerate(frame.languages)
    }
    found |= {f"source={name}": frame.source == code for code, name in enumerate(frame.sources)}
    found |= {f"length={n}": frame.length == n for n in np.unique(frame.length)}
    found["target=new"] = frame.target == NEW
    found["target=repeated"] = frame.target == REPEATED
    found |= {f"tag={name}": tagged for name, tagged in frame.tags.items()}
    cohort = frame.length >= COHORT
    found |= {f"cohort{COHORT}:turn={n}": cohort & (frame.turn == n) for n in range(1, COHORT + 1)}
    return _some(found)


def _of_dialogues(frame: Frame) -> dict[str, Bools]:
    whole = ("all", "type=", "length=", "language=")
    found = {name: turns for name, turns in _of_turns(frame).items() if name.startswith(whole)}
    for name in frame.languages:
        found[f"language={name}"] = found[f"language={name}"] & frame.one_language
    return _some(found)


def _some(found: dict[str, Bools]) -> dict[str, Bools]:
    return {name: turns for name, turns in found.items() if name == "all" or turns.any()}
