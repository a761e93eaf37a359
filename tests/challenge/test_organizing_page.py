"""docs/organizing.md is true: its files are read, what it says of the ledger holds."""

import re
from pathlib import Path

from harness.challenge.challenge_file import read_challenge
from harness.teams.team_file import read_team

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "organizing.md").read_text("utf-8")


def example(heading):
    """The first block of code below a heading."""
    below = PAGE.split(f"### {heading}\n", 1)[1]
    block = re.match(r"\n((?:    .*\n|\n)+)", below)[1]
    return re.sub(r"^    ", "", block, flags=re.MULTILINE)


def test_the_example_of_a_challenge_is_read(tmp_path):
    (tmp_path / "challenge.toml").write_text(example("challenge.toml"))
    (phase,) = read_challenge(tmp_path).phases
    assert (phase.name, phase.quota, phase.daily, phase.feedback) == (
        "development", 20, 3, "ladder"
    )  # fmt: skip


def test_the_example_of_a_team_is_read(tmp_path):
    (tmp_path / "team.toml").write_text(example("team.toml"))
    team = read_team(tmp_path)
    assert (team.name, team.anonymous, len(team.terms)) == ("Our team", True, 16)
