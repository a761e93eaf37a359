"""What `ivcr intake` will say of a team, said on its pull request: its name and the terms.

Names are compared by the one comparison of `harness.teams.team_names`.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.pull_requests.bounds import COMPARED_TEAMS, TOML_BYTES, ChangeRefusedError
from harness.pull_requests.change_report import FindingLog, Severity
from harness.pull_requests.layout import TEAM_FILE
from harness.pull_requests.team_folder import Submissions, team_table
from harness.pull_requests.trees import PLAIN, Tree, find_item
from harness.schemas.documents import plain
from harness.teams.submission_folders import CHALLENGE, is_folder_name
from harness.teams.team_file import Team, team_of, team_problem, terms_version
from harness.teams.team_names import NameProblem, name_problems
from harness.untrusted import UnfitFileError, toml_table

_CODES: dict[str, tuple[str, Severity]] = {
    "hidden": ("team-name", "error"),
    "mixed": ("team-name", "warning"),
    "double": ("confusable-team", "error"),
}


def check_intake_rules(own: bytes, place: Submissions, log: FindingLog) -> None:
    """Check the name and the terms that a change's team.toml states.

    A file that is missing or wrong is no finding here.
    """
    team = _team(place.head, place.above, own)
    if team is None:
        return
    path = b"/".join((*place.above, own, TEAM_FILE.encode()))
    for problem in _name_problems(team, place):
        code, severity = _CODES[problem.kind]
        text = f"{problem.text}; choose another" if severity == "error" else problem.text
        log.add(code, path, text, severity)
    problem_of_terms = team_problem(team, team.folder, _terms(place))
    if problem_of_terms is not None:
        log.add("terms", path, f"the intake will refuse runs: {problem_of_terms[1]}", "warning")


def _name_problems(team: Team, place: Submissions) -> Iterator[NameProblem]:
    """Doubles are looked for where the name is new: of those in the base the intake knows more."""
    before = _team(place.base, place.above, team.folder.encode())
    if before is not None and before.name == team.name:
        return (each for each in name_problems([team]))
    others = [name for name in place.teams if name != team.folder.encode()]
    beside = (_team(place.base, place.above, name) for name in others[:COMPARED_TEAMS])
    known = [team, *(other for other in beside if other is not None)]
    return (each for each in name_problems(known) if each.team == team.folder)


def _team(tree: Tree, above: tuple[bytes, ...], folder: bytes) -> Team | None:
    """The team of a folder; None if its name, or its file, is missing or wrong."""
    name = folder.decode("utf-8", "backslashreplace")
    table, _ = team_table(tree, (*above, folder))
    return team_of(name, table) if table and is_folder_name(name) else None


def _terms(place: Submissions) -> str | None:
    """The version of the terms that the challenge of the base asks for."""
    item = find_item(place.base, (*place.above, CHALLENGE.encode()))
    if item is None or item.kind not in PLAIN:
        return None
    try:
        terms = plain(toml_table(place.base.read(item, TOML_BYTES))).get("terms")
    except (UnfitFileError, ChangeRefusedError):
        return None  # the organizers' own file; the intake says what is wrong with it
    return terms_version(terms) if isinstance(terms, str) else None
