"""What docs/participating.md shows of IVCR-Mini is what IVCR-Mini holds."""

import json

import pytest

from tests.cli.test_participating_page import ASKED, OTHER, SECONDS

pytestmark = pytest.mark.real


def test_the_turns_and_videos_of_the_page_are_those_of_the_benchmark(mini):
    turns = (mini.folder / "test" / "turns.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) in map(json.loads, turns) for line in ASKED] == [True] * 3
    seconds = {name: mini.videos[name].duration for name in SECONDS}
    assert seconds == {name: round(1000 * length) for name, length in SECONDS.items()}
    assert OTHER in mini.split("test").corpus
