"""What the leaderboard reads and shows, as typed records."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from msgspec import Struct, field

from harness.records import Card


class Bench(NamedTuple):
    """The benchmark split that the board is about, as its own files describe it.

    `floors`: a folder <name>/<history>/ of the floors' submissions and scores, which may be absent.
    """

    name: str
    version: str
    labels: Literal["public", "hidden"]
    fingerprint: str
    gold_sha256: str
    split: str
    type_names: dict[str, str]
    counts: dict[str, int]
    floors: Path


class Described(NamedTuple):
    """What a reader must know of a metric; `low` and `high` bound its values."""

    name: str
    formula: str
    unit: str
    low: float
    high: float
    better: Literal["higher", "lower"]
    abstention: float
    over: str
    source: str


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


# Name, size, times of change (ns) and inode of each file that an entry was read from.
Stamp = tuple[tuple[str, int, int, int, int], ...]


class Entry(NamedTuple):
    """One row of the board: who, and the figures that hold.

    `key` is <team folder>/<run folder>, for a floor floors/<name>/<history>. `own` marks rows that
    the organizers ran themselves. `kept`: unchanged since the last build, so that its page stands
    already and `scores` has only the slices that tables need.
    """

    key: str
    card: Card
    scores: Scores
    floor: bool = False
    own: bool = False
    stamp: Stamp = ()
    kept: bool = False

    def cell(self, metric: str, part: str = "all") -> Cell | None:
        """The figure of a metric on a slice, None where scores.json has none."""
        return self.scores.metrics.get(part, {}).get(metric)


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
    """Each of the first rows of a table with each below it, as leaderboard.tables.packing packs
    them.

    `keys`: of the entries; `steps`: how many units of the packed differences make up one.
    """

    keys: tuple[str, ...]
    steps: int
    packed: str


class Standing(Struct, frozen=True):
    """How sure the ranks of a table are, at the level of the design, all pairs tested together.

    `ranges`: by entry key, the best and the worst rank that the row may have; `alike`: the keys of
    lower rows that cannot be told apart from a row ranked first; `detectable`: the minimum
    detectable difference of neighbours, in the headline's unit; `without`: how many ranked rows
    have no range, by reason (a word of the interface); `pairs`: the differences of the first rows,
    None where there are none or labels are hidden; `made_of`: a digest of what this rests on.
    """

    made_of: str = ""
    ranges: dict[str, tuple[int, int]] = field(default_factory=dict)
    alike: tuple[str, ...] = ()
    detectable: float | None = None
    without: dict[str, int] = field(default_factory=dict)
    pairs: Pairs | None = None


class Reported(NamedTuple):
    """A card that carries figures typed by its authors instead of predictions."""

    key: str
    card: Card


class Refusal(NamedTuple):
    """A folder that is not shown, and the reason."""

    key: str
    reason: str


class Found(NamedTuple):
    """Everything a board is made of, each in the order of its keys."""

    entries: tuple[Entry, ...]
    reported: tuple[Reported, ...]
    refused: tuple[Refusal, ...]


class Kept(NamedTuple):
    """What of the last build's pages of tables still holds: names of tables and of tracks.

    `tables`: their own files stand unchanged; `tracks`: so does the page of the track;
    `sections`: the table's part of its track's page does.
    """

    tables: frozenset[str] = frozenset()
    tracks: frozenset[str] = frozenset()
    sections: frozenset[str] = frozenset()


Seconds = tuple[float, float]


class Said(NamedTuple):
    """What one system put first in a turn, and whether that is right; None: nothing of the kind.

    `rank`: of the gold video in the system's list, from 1.
    """

    right: bool
    video: str | None
    moment: tuple[str, Seconds] | None
    rank: int | None
