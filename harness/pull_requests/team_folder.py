"""Whose a team's folder is: accounts that the base names, clashing names, and team.toml itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.files import shown
from harness.pull_requests.bounds import TOML_BYTES, ChangeRefusedError
from harness.pull_requests.change_report import FindingLog, TouchedTeam, shown_path
from harness.pull_requests.layout import TEAM_FILE, TeamFile
from harness.pull_requests.names import clashes, confusable
from harness.pull_requests.trees import PLAIN, Tree, find_item, names_in
from harness.schemas.documents import mismatches, plain
from harness.untrusted import UnfitFileError, toml_table

_TEAM_KEY = "team"


class Submissions:
    """The submissions in a base and in the tree that a change makes of it."""

    def __init__(self, base: Tree, head: Tree, above: tuple[bytes, ...]) -> None:
        """`above`: the names that lead to the submissions."""
        self.base, self.head, self.above = base, head, above
        self._teams = names_in(base, above)

    def has_team(self, team: bytes) -> bool:
        """Whether the base has a folder of that team."""
        return team in self._teams

    @property
    def is_challenge(self) -> bool:
        """Whether the base has a challenge.toml."""
        return b"challenge.toml" in self._teams

    @property
    def teams(self) -> list[bytes]:
        """The folders in the base, by name."""
        folder = find_item(self.base, self.above)
        found = {} if folder is None else self.base.entries(folder)
        return sorted(name for name, item in found.items() if item.kind == "folder")

    def accounts(self, team: bytes) -> tuple[str, ...]:
        """The accounts that the base lets change a team's folder, in lower case."""
        table, _ = team_table(self.base, (*self.above, team))
        accounts = table.get("accounts", ())
        return tuple(str(name).lower() for name in accounts)

    def beside(self, inner: tuple[bytes, ...]) -> set[bytes]:
        """All names in the folder, of the base or of the change, that holds what is at `inner`."""
        folder = (*self.above, *inner[:-1])
        return {*names_in(self.base, folder), *names_in(self.head, folder)}


def team_table(tree: Tree, folder: tuple[bytes, ...]) -> tuple[dict[str, Any], str | None]:
    """The table of the team.toml in a folder, {} if it is absent or wrong, and what is wrong."""
    item = find_item(tree, (*folder, TEAM_FILE.encode()))
    if item is None or item.kind not in PLAIN:
        return {}, "is missing"
    try:
        table: dict[str, Any] = plain(toml_table(tree.read(item, TOML_BYTES)))
    except (UnfitFileError, ChangeRefusedError) as error:
        return {}, error.text
    first = next(mismatches(_TEAM_KEY, table), None)
    return (table, None) if first is None else ({}, first.text)


def own_team(
    files: list[TeamFile], place: Submissions, author: str | None, team: str | None
) -> bytes | None:
    """The team that a change is taken to be of; None if that cannot be known.

    `team`: the one that an organizer names. Else it is the only one that is touched, or the only
    one of them whose accounts hold the author.
    """
    if team is not None:
        return team.encode("utf-8", "surrogateescape")
    touched = sorted({file.team for file in files})
    if len(touched) == 1:
        return touched[0]
    owned = [name for name in touched if author and author.lower() in place.accounts(name)]
    return owned[0] if len(owned) == 1 else None


def check_teams(
    files: list[TeamFile], own: bytes | None, place: Submissions, log: FindingLog
) -> None:
    """Check that a change touches one team's folder alone."""
    touched = sorted({file.team for file in files})
    if own is None and touched:
        names = ", ".join(str(shown_path(name)) for name in touched[:5])
        log.add(
            "several-teams",
            None,
            f"expected a change of one team's folder, found {len(touched)}: {names}; send one pull "
            "request a team",
        )
        return
    for file in files:
        if file.team != own and place.has_team(file.team):
            log.add("another-team", file.path, "lies in another team's folder; leave it as it is")
    for name in touched:
        if name != own and not place.has_team(name):
            path = b"/".join((*place.above, name))
            log.add(
                "several-teams", path, "is a second team's folder; send one pull request a team"
            )


def touched_team(
    own: bytes, place: Submissions, author: str | None, *, vouched: bool, log: FindingLog
) -> TouchedTeam:
    """The team of a change, after a check that its author may change the folder.

    `vouched`: an organizer named the team, so accounts are not asked for.
    """
    path, folder = b"/".join((*place.above, own)), str(shown_path(own))
    if not place.has_team(own):
        return TouchedTeam(folder, True, None)
    if vouched:
        return TouchedTeam(folder, False, None)
    if author is None:
        text = "no author was named, so nobody checked whose folder this is; name one with --author"
        log.add("owner", path, text, "warning")
        return TouchedTeam(folder, False, None)
    accounts = place.accounts(own)
    if author.lower() not in accounts:
        reason = "does not name this account" if accounts else "names no accounts"
        log.add(
            "another-team",
            path,
            f"{TEAM_FILE} in the base {reason} ({shown(author)}), so the folder is taken for "
            "another team's; use a folder of your own, or ask the organizers",
        )
    return TouchedTeam(folder, False, author.lower() in accounts)


def check_team_file(
    own: bytes, place: Submissions, author: str | None, *, changed: bool, log: FindingLog
) -> None:
    """Check the team.toml that a change adds or edits."""
    new = not place.has_team(own)
    if not new and not changed:
        return
    folder = (*place.above, own)
    path = b"/".join((*folder, TEAM_FILE.encode()))
    table, fault = team_table(place.head, folder)
    if fault == "is missing":
        lenient = new and not place.is_challenge
        text = f'is missing; write one with `name = "..."`: {TEAM_FILE} says who the team is'
        log.add("team-file" if new else "deletion", path, text, "warning" if lenient else "error")
    elif fault is not None:
        log.add("team-file", path, f"{fault}; see harness/schemas/team.json")
    names = [str(name).lower() for name in table.get("accounts", ())]
    if table.get("anonymous") and (author is not None or names):
        text = (
            "an anonymous team cannot come by a pull request, whose author is public, nor name "
            "accounts; ask the organizers to put its folder there"
        )
        log.add("anonymous", path, text)
    elif fault is None and author is not None and author.lower() not in names:
        text = f"`accounts` does not name {shown(author)}, who could not change this folder again"
        log.add("accounts", path, text, "warning")


def check_clashes(files: list[TeamFile], place: Submissions, log: FindingLog) -> None:
    """Check that nothing new may be taken for another name beside it."""
    for inner in sorted(set(_new_names(files))):
        path, beside = b"/".join((*place.above, *inner)), place.beside(inner)
        found = list(clashes(inner[-1], beside))
        for fault in found:
            log.add(fault.code, path, fault.text)
        alike = confusable(inner[-1], beside) if len(inner) == 1 and not found else None
        if alike is not None and not place.has_team(inner[0]):
            text = f"may be taken for the team folder {shown(str(shown_path(alike)))}; rename it"
            log.add("confusable-team", path, text)


def _new_names(files: list[TeamFile]) -> Iterator[tuple[bytes, ...]]:
    """The paths of what a change adds or edits, and of the folders above it."""
    for file in files:
        if file.change.after is not None:
            yield from (file.inner[:depth] for depth in range(1, len(file.inner) + 1))


def check_deletions(files: list[TeamFile], own: bytes, place: Submissions, log: FindingLog) -> None:
    """Check that no run of the base is removed."""
    runs = {file.run for file in files if file.team == own and file.change.after is None}
    for run in sorted(run for run in runs if run is not None):
        folder = (*place.above, own, run)
        if find_item(place.base, folder) is not None and not names_in(place.head, folder):
            text = (
                "is removed, but a run stays in the ledger once it was accepted; put it back, and "
                "ask the organizers for `ivcr withdraw`"
            )
            log.add("deletion", b"/".join(folder), text)
