"""Plans of dialogues: which types, how many, in which language, and the turns of each.

A plan is a string with one letter a turn:

    V  a video, described from nothing           W  the whole video that a moment came from
    F  a first, often vague description          R  one more detail of the same video
    A  a video like the one before               M  a moment of the video at hand
    O  a moment of a video that the turn itself describes
    C  chat
"""

from __future__ import annotations

import random

from harness.sources.mini.world import SIZES

TYPE_NAMES = {
    0: "Chat",
    1: "Long2Short",
    2: "Short2Long",
    3: "Analogous",
    4: "Refinement",
    5: "Mixed",
    7: "Concatenation",
}
COUNTS = {"train": 660, "val": 110, "test": 330}  # dialogues of as many videos as SIZES says
SHARES = {0: 6, 1: 22, 2: 14, 3: 18, 4: 20, 5: 12, 7: 8}  # per cent of the dialogues, by type
PLANS = {
    0: ("C", "CC", "CC", "CCC", "CCCC"),
    1: ("O", "VM", "VM", "VMM", "VMM", "VMMM"),
    2: ("W", "OW", "OW", "OMW", "OWM"),
    3: ("VA", "VA", "VAA", "VAM", "VMA", "VMAM", "VAAM"),
    4: ("FR", "FR", "FRR", "FRM", "FRRM", "FRRR"),
    5: ("VMAM", "FRMA", "OWAM", "VMVM", "VMARM", "OWMVRM", "VRMAMAM", "VMAMVRMM"),
    7: ("VV", "VO", "OVV", "VVVV", "VOVOV", "VVOVVV", "VVOVOVVV"),
}
CHINESE_SHARE = 38  # per cent, in every type


def schedule(split: str, seed: int, videos: int) -> list[tuple[int, str]]:
    """Type and language of each dialogue, for so many videos: fixed shares, shuffled."""
    plan: list[tuple[int, str]] = []
    dialogues = COUNTS[split] * videos // SIZES[split]
    for kind, share in SHARES.items():
        count = -(-dialogues * share // 100)
        chinese = -(-count * CHINESE_SHARE // 100)
        plan += [(kind, "zh")] * chinese + [(kind, "en")] * (count - chinese)
    random.Random(f"ivcr-mini:{seed}:{split}:plan").shuffle(plan)
    return plan
