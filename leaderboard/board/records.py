"""What the board reads and shows, as typed records."""

from __future__ import annotations

from typing import Literal, NamedTuple

from msgspec import Struct, field

from harness.challenge.challenge_file import Headline
from harness.challenge.corrections import CorrectedRun
from harness.records import Card


class Cell(Struct, frozen=True, omit_defaults=True, gc=False):
    """One figure of scores.json: `value` None is undefined, and `why` says why."""

    value: float | None
    low: float | None = None
    high: float | None = None
    turns: int | None = None
    dialogues: int | None = None
    why: str | None = None


class ScoredOn(Struct, frozen=True):
    """The benchmark that a scores.json names."""

    name: str
    version: str
    fingerprint: str
    gold_sha256: str
    split: str


class ScoredRun(Struct, frozen=True):
    """The submission that a scores.json names."""

    team: str
    system: str
    history: str
    candidates: str
    sha256: str


class Scores(Struct, frozen=True):
    """scores.json: by slice and metric, one cell."""

    schema: int
    signature: str
    protocol: str
    benchmark: ScoredOn
    submission: ScoredRun
    metrics: dict[str, dict[str, Cell]]


# Name, size, times of change (ns) and inode of each file that an entry is read from.
Stamp = tuple[tuple[str, int, int, int, int], ...]


class Entry(NamedTuple):
    """One row of the board: who, and the figures that hold.

    `key` is <team folder>/<run folder>, for a floor floors/<name>/<history>. `own` marks rows that
    the organizers ran themselves. `unchanged` since the last build: its pages stand already, and
    `scores` has only the slices that tables need. `rounded`: labels are hidden, and `scores` has
    only what may be shown (see leaderboard.board.withholding). `result`: the key of what was
    computed, over card and predictions, benchmark and scorer. `abstentions`: in how many turns it
    gives an empty answer. `team`: what the team's name depends on beside the card. `differs`:
    what a scores.json beside the card says otherwise. `accepted`: when this version of the run was
    accepted, as the ledger has it, "" without a ledger.
    """

    key: str
    card: Card
    scores: Scores
    floor: bool = False
    own: bool = False
    stamp: Stamp = ()
    unchanged: bool = False
    rounded: bool = False
    result: str = ""
    team: str = ""
    abstentions: int | None = None
    differs: tuple[str, ...] = ()
    accepted: str = ""

    @property
    def identity(self) -> tuple[str, str, str]:
        """All that tables and pages depend on: the key, the result, and the team's name."""
        return self.key, self.result, self.card.team

    def cell(self, metric: str, part: str = "all") -> Cell | None:
        """The figure of a metric on a slice, None where scores.json has none."""
        return self.scores.metrics.get(part, {}).get(metric)

    @property
    def ranked(self) -> bool:
        """Whether it may have a rank: floors and runs broken on purpose may not."""
        return not self.floor and self.card.control is None


class Pair(NamedTuple):
    """The first entry minus the second, by key, in the headline of a table they both stand in.

    `effect`: difference / standard deviation of the units' differences (d_z); `p`: two-sided,
    corrected for all pairs of the table. None where undefined.
    """

    first: str
    second: str
    value: float
    low: float | None
    high: float | None
    effect: float | None
    p: float


class Pairs(Struct, frozen=True):
    """Each of the first rows of a table with each below it, packed by leaderboard.tables.packing.

    `keys`: of the entries; `steps`: how many units of the packed differences make up one.
    """

    keys: tuple[str, ...]
    steps: int
    packed: str


class Standing(Struct, frozen=True):
    """How sure the ranks of a table are, at the level of the design, all pairs tested together.

    `ranges`: by entry key, the best and the worst rank that the row may have; `alike`: the keys of
    lower rows that do not differ significantly from a row ranked first; `detectable`: the minimum
    detectable difference of neighbours, in the headline's unit; `without`: how many ranked rows
    have no range, by reason (a word of the interface); `pairs`: the differences of the first rows,
    None where there are none; `digest`: SHA-256 over what this depends on. Where labels are hidden,
    `detectable` and `pairs` are None.
    """

    digest: str = ""
    ranges: dict[str, tuple[int, int]] = field(default_factory=dict)
    alike: tuple[str, ...] = ()
    detectable: float | None = None
    without: dict[str, int] = field(default_factory=dict)
    pairs: Pairs | None = None


class ReportedRun(NamedTuple):
    """A card that carries figures typed by its authors instead of predictions."""

    key: str
    card: Card


class Refusal(NamedTuple):
    """A folder that is not shown, and the reason; `fault`: the reason is not the folder's own."""

    key: str
    reason: str
    fault: bool = False


class Differing(NamedTuple):
    """A run whose own scores.json says something else than what was computed, a line each."""

    key: str
    lines: tuple[str, ...]


class Pending(NamedTuple):
    """A run that was accepted in a phase which tells no exact figures as long as it is open."""

    key: str
    phase: str


class Withdrawal(NamedTuple):
    """A run that was withdrawn: the time, as the ledger has it, and the reason."""

    key: str
    at: str
    why: str


class BoardEvent(NamedTuple):
    """What the ledger says happened to a run of the board, at a time as the ledger has it.

    `replaced`: a new version of the run was accepted; `why`: of corrections and withdrawals.
    """

    at: str
    what: Literal["accepted", "replaced", "rescored", "withdrawn"]
    key: str
    why: str = ""


class LedgerMark(NamedTuple):
    """The published head of a ledger (SHA-256 of its last line), and the last event's time."""

    head: str
    last_event: str | None


class Terms(NamedTuple):
    """The terms of participation, and the version that team.toml accepts."""

    text: str
    version: str


class ChallengeAbout(NamedTuple):
    """What a challenge says of itself; `links`: addresses by name."""

    title: str
    description: str | None = None
    organizers: tuple[str, ...] = ()
    contact: str | None = None
    links: tuple[tuple[str, str], ...] = ()
    citation: str | None = None
    licence: str | None = None
    headline: Headline | None = None

    @property
    def provider(self) -> str:
        """Who runs the board, in one line; "" where nobody is named."""
        return ", ".join(self.organizers)


class BoardCorrection(NamedTuple):
    """A time at which runs were scored again, the reason, and what moved."""

    at: str
    why: str
    runs: tuple[CorrectedRun, ...]


class BoardContents(NamedTuple):
    """Everything that a board shows, each in the order of its keys.

    `mark`: of the challenge's ledger, None where there is no challenge, as `about`; `terms`: None
    where it has none; `events`: of the ledger, the first first.
    """

    entries: tuple[Entry, ...]
    reported: tuple[ReportedRun, ...]
    refused: tuple[Refusal, ...]
    differing: tuple[Differing, ...] = ()
    pending: tuple[Pending, ...] = ()
    withdrawn: tuple[Withdrawal, ...] = ()
    mark: LedgerMark | None = None
    terms: Terms | None = None
    corrections: tuple[BoardCorrection, ...] = ()
    about: ChallengeAbout | None = None
    events: tuple[BoardEvent, ...] = ()

    def accepted_at(self) -> dict[str, str]:
        """By the key of a run, when the version on the board was accepted; {} without a ledger."""
        return {each.key: each.at for each in self.events if each.what in ("accepted", "replaced")}
