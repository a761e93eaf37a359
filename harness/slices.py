"""Slices: which turns of a frame a figure is over. One slice for every value that occurs."""

from __future__ import annotations

import numpy as np

from harness.outcomes import NEW, REPEATED, Bools, Frame

COHORT = 4  # dialogues of at least so many turns; beyond turn 4 they are no longer the same ones


def slices(frame: Frame) -> dict[str, Bools]:
    """The turns of each slice by its name, (turns,), in the order in which they are written."""
    found: dict[str, Bools] = {"all": np.ones(len(frame.turn), dtype=bool)}
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
    return {name: turns for name, turns in found.items() if turns.any()}
