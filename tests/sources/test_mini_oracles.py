"""The oracles: those of the tests by hand, those of the package against those of the tests."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from harness.sources.mini.build import script_line
from harness.sources.mini.oracles import Oracles
from harness.sources.mini.queries import Background, Before, Has, Longer, VideoQuery, notation
from harness.sources.mini.query_sampling import pattern_of
from harness.sources.mini.world import Look, Script, make_world
from tests.sources.test_mini_reading import (
    BACKGROUNDS,
    FIELD,
    Video,
    bag,
    find_moment,
    note_words,
    script_oracle,
)


def event(look: str, start: float, end: float) -> Video:
    return {FIELD[word]: word for word in look.split()} | {"start": start, "end": end}


HAND_MADE = {
    "a": {
        "background": "white",
        "events": [
            event("red ball spins top slow", 1.1, 3.2),
            event("blue star flips left slow", 4.1, 9.3),
        ],
    },
    "b": {
        "background": "white",
        "events": [
            event("blue star flips top fast", 1.1, 6.3),
            event("red ball spins left slow", 7.1, 9.2),
        ],
    },
}


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("has(ball red top)", {"a"}),
        ("has(red) & has(star)", {"a", "b"}),
        ("has(red star)", set()),
        ("before(red; blue)", {"a"}),
        ("before(star; ball spins)", {"b"}),
        ("longer(star; ball)", {"a", "b"}),
        ("longer(ball; star)", set()),
        ("throughout(slow)", {"a"}),
        ("count(2) & background(white)", {"a", "b"}),
        ("background(black)", set()),
    ],
)
def test_script_oracle_of_the_tests_by_hand(note: str, expected: set[str]) -> None:
    assert script_oracle(HAND_MADE, [note]) == expected


@pytest.mark.parametrize(
    ("note", "start"),
    [
        ("at(ball)", 1.1),
        ("after(red)", 4.1),
        ("until(star)", 1.1),
        ("last()", 4.1),
        ("longest()", 4.1),
        ("shortest()", 1.1),
    ],
)
def test_moment_oracle_of_the_tests_by_hand(note: str, start: float) -> None:
    found = find_moment(HAND_MADE["a"], note)
    assert found is not None
    assert found["start"] == start


def random_query(rng: random.Random, scripts: Sequence[Script]) -> VideoQuery:
    """Conditions about one or two videos, true of them or not."""
    events = [rng.choice(rng.choice(scripts).events) for _ in range(2)]
    one, two = (pattern_of(each, rng.sample(Look._fields, rng.randint(1, 3))) for each in events)
    relation = rng.choice((Before(one, two), Longer(one, two), Has(one)))
    return (relation, Background(rng.choice(BACKGROUNDS))) if rng.random() < 0.5 else (relation,)


def test_oracles_of_the_package_agree_with_those_of_the_tests() -> None:
    rng = random.Random(5)
    scripts = [script for script in make_world(8) if script.split == "test"]
    corpus = {script.video_id: script_line(script) for script in scripts}
    bags = {name: bag(video) for name, video in corpus.items()}
    oracles = Oracles(scripts)
    sizes = []
    for _ in range(500):
        query = random_query(rng, rng.sample(scripts, 2))
        expected = script_oracle(corpus, [notation(query)])
        assert set(oracles.script(query)) == expected
        asked = note_words(notation(query))
        assert set(oracles.words(query)) == {name for name in corpus if asked <= bags[name]}
        sizes.append(len(expected))
    assert min(sizes) == 0
    assert max(sizes) > 20
