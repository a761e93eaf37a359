"""Lines and cards that are nearly right: the ones that tell two readers apart."""

import copy

from hypothesis import strategies as st

from harness.schemas.documents import schema
from tests.validation.samples import LINES, VIDEOS

NUMBERS = st.one_of(
    st.integers(-3, 40),
    st.floats(-2, 40),
    st.sampled_from([0.0004, 0.0005, 29.9996, 30, 30.0004, 31, 31.0006, 1e9, 1e10, -0.0, 1e-320]),
)
NAMES = st.one_of(
    st.sampled_from([*VIDEOS[:4], "v/l.mp4", "v/train.mp4", "d1", "d2", "d3", ""]),
    st.text(max_size=6),
)
MOMENTS = st.fixed_dictionaries(
    {"video_id": NAMES, "start": NUMBERS, "end": NUMBERS}, optional={"x": NUMBERS}
)
PLAIN_MOMENTS = st.fixed_dictionaries(
    {"video_id": st.sampled_from(VIDEOS[:3]), "start": st.just(1), "end": st.integers(2, 30)}
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
PARTS = {
    "dialogue_id": NAMES,
    "turn": st.integers(-1, 4) | NUMBERS,
    "videos": st.lists(NAMES, max_size=5) | st.just(VIDEOS[:101]),
    "moments": st.lists(MOMENTS | PLAIN_MOMENTS, max_size=3),
    "choice": st.lists(st.sampled_from(VIDEOS), max_size=12),
    "response": st.text(max_size=12) | st.sampled_from(["a门" * 5_000, "a门" * 5_000 + "a"]),
}


@st.composite
def lines(draw):
    """A prediction line with a few parts changed, added or taken away."""
    line = copy.deepcopy(draw(st.sampled_from(LINES)))
    for _ in range(draw(st.integers(0, 2))):
        key = draw(st.sampled_from([*PARTS, "Videos", "x"]))
        match draw(st.integers(0, 4)):
            case 0:
                line.pop(key, None)
            case 1:
                line[key] = draw(JSON)
            case _:
                line[key] = draw(PARTS.get(key, JSON))
    return line


CARD_VALUES = st.one_of(
    JSON,
    st.sampled_from(
        ["own", "used", "unused", "predictions", "reported", "2025", "2025-12", "2025-12-01\n"]
    ),
    st.text(st.characters(), max_size=4),
    st.text("ab\n\x7f\x85 ", min_size=198, max_size=202),
    st.text("ab", min_size=58, max_size=62),
    st.sampled_from([1, 1.0, True, 2**53, 2**53 + 2, 1e300, -(2**60)]),
    st.dictionaries(NAMES, NUMBERS | NAMES, max_size=2),
    st.lists(NAMES, max_size=101),
)


@st.composite
def cards(draw):
    """A card's table with a few keys changed, added or taken away."""
    table = {
        "schema": 1,
        "team": "a",
        "system": "b",
        "history": "own",
        "candidates": "used",
        "kind": draw(st.sampled_from(["predictions", "reported"])),
    }
    if table["kind"] == "reported":
        table |= {"figures": {"R@1": 0.5}, "source": "p. 3"}
    for _ in range(draw(st.integers(0, 3))):
        key = draw(st.sampled_from([*schema("card")["properties"], "Team"]))
        if draw(st.booleans()):
            table[key] = draw(CARD_VALUES)
        else:
            table.pop(key, None)
    return table
