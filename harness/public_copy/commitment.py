"""A salted commitment to hidden labels: published now, opened when the phase ends.

    commitment = HMAC-SHA256(salt, "ivcr-labels-1\\n" + split + "\\n" + the bytes of gold.jsonl)

The salt is 32 random bytes, one for each split, so that opening one split opens no other. Without
it the commitment tells nothing and no guess can be checked; two golds with one commitment would be
a collision of SHA-256. (HMAC: RFC 2104; salts of one length, so that no two are one key.)

In the ledger `why` of `labels-committed` is `labels of SPLIT: HMAC-SHA256 HEX (ivcr-labels-1)`, and
of `labels-opened` `labels of SPLIT: salt HEX of HEX (ivcr-labels-1)`, the commitment last.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec

from harness.benchmark import Benchmark
from harness.errors import EnvironmentFailure, SubmissionError, WrongUsageError
from harness.files import open_replacement, readable, shown
from harness.untrusted import UnfitFileError, json_document, read_small

CONSTRUCTION = "ivcr-labels-1"
COMMITTED: Literal["labels-committed"] = "labels-committed"
OPENED: Literal["labels-opened"] = "labels-opened"
RESCORED = "rescored"
SALT = 32  # bytes
_LARGEST = 1 << 16  # bytes of a file of salts
_HEX = "([0-9a-f]{64})"
_COMMITTED_WHY = re.compile(rf"labels of (\w+): HMAC-SHA256 {_HEX} \({CONSTRUCTION}\)")
_OPENED_WHY = re.compile(rf"labels of (\w+): salt {_HEX} of {_HEX} \({CONSTRUCTION}\)")
_Hex = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class SaltedLabels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The salt of one split's commitment, which stays secret until it is opened."""

    salt: _Hex
    commitment: _Hex

    def committed_reason(self, split: str) -> str:
        """The `why` of the event labels-committed."""
        return f"labels of {split}: HMAC-SHA256 {self.commitment} ({CONSTRUCTION})"

    def opened_reason(self, split: str) -> str:
        """The `why` of the event labels-opened."""
        return f"labels of {split}: salt {self.salt} of {self.commitment} ({CONSTRUCTION})"


class Salts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of salts: the benchmark's fingerprint, and by split its salt and commitment."""

    fingerprint: str
    labels: dict[str, SaltedLabels]
    schema: Literal[1] = 1
    construction: Literal["ivcr-labels-1"] = "ivcr-labels-1"


class LabelsEvent(NamedTuple):
    """What a ledger's line says of labels: its number, event, fingerprint and `why`."""

    seq: int
    event: str
    fingerprint: str | None
    why: str | None


class CommitmentCheck(NamedTuple):
    """A commitment in a ledger, and what became of it.

    `state`: closed (no salt was published), holds (the salt and the gold here give it), broken
    (they do not), unchecked (there is no gold here).
    """

    seq: int
    split: str
    commitment: str
    state: Literal["closed", "holds", "broken", "unchecked"]


def commitment_of(salt: bytes, split: str, gold: bytes) -> str:
    """The commitment to the bytes of a split's gold.jsonl, in hex.

    Raises ValueError if the salt has not SALT bytes.
    """
    if len(salt) != SALT:
        raise ValueError(f"expected a salt of {SALT} bytes, got {len(salt)}")
    message = f"{CONSTRUCTION}\n{split}\n".encode() + gold
    return hmac.digest(salt, message, "sha256").hex()


def commit(
    benchmark: Benchmark, splits: Sequence[str], path: Path, keep_out: Iterable[Path]
) -> Salts:
    """Commit to the gold of `splits` with new salts, written to `path` for its owner alone.

    Where `path` holds salts for the same gold already, these are taken: a commitment is made once.
    Raises WrongUsageError if `path` lies in one of the folders `keep_out`, or holds other salts,
    EnvironmentFailure if the benchmark lacks the gold or the disk fails.
    """
    for folder in keep_out:
        if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
            raise WrongUsageError(f"{path}: salts stay secret; name a place outside {folder}")
    if os.path.lexists(path):
        return _fitting(benchmark, splits, path)
    labels = {}
    for split in splits:
        salt = secrets.token_bytes(SALT)
        made = commitment_of(salt, split, _gold(benchmark, split))
        labels[split] = SaltedLabels(salt.hex(), made)
    salts = Salts(benchmark.header.fingerprint, labels)
    with open_replacement(path) as stream:
        os.fchmod(stream.fileno(), 0o600)
        stream.write(readable(msgspec.to_builtins(salts)))
    return salts


def _fitting(benchmark: Benchmark, splits: Sequence[str], path: Path) -> Salts:
    salts = read_salts(path)
    is_for_these = (
        salts.fingerprint == benchmark.header.fingerprint
        and set(salts.labels) == set(splits)
        and all(fits(benchmark, split, salted) for split, salted in salts.labels.items())
    )
    if is_for_these:
        return salts
    raise WrongUsageError(
        f"{path}: holds salts of other labels, which are needed to open their commitment; "
        "name another place"
    )


def read_salts(path: Path) -> Salts:
    """The salts in a file. Raises EnvironmentFailure if it holds none."""
    try:
        return json_document(read_small(path, _LARGEST), Salts)
    except UnfitFileError as error:
        raise EnvironmentFailure(
            f"{path}: expected salts as `ivcr data publish --salts` writes them: {error}"
        ) from error


def fits(benchmark: Benchmark, split: str, salted: SaltedLabels) -> bool:
    """Whether a salt and the benchmark's gold give the commitment.

    Raises EnvironmentFailure if the benchmark lacks the gold.
    """
    made = commitment_of(bytes.fromhex(salted.salt), split, _gold(benchmark, split))
    return hmac.compare_digest(made, salted.commitment)


def _gold(benchmark: Benchmark, split: str) -> bytes:
    benchmark.gold(split)  # that it is the one of the import, and its lines are sound
    return (benchmark.split_folder(split) / "gold.jsonl").read_bytes()


def commitments(events: Iterable[LabelsEvent], fingerprint: str) -> Iterator[tuple[int, str, str]]:
    """The commitments to labels of a benchmark: number of the line, split, commitment."""
    for event in events:
        found = _COMMITTED_WHY.fullmatch(event.why or "")
        if event.event == COMMITTED and event.fingerprint == fingerprint and found:
            yield event.seq, found[1], found[2]


def openings(events: Iterable[LabelsEvent], fingerprint: str) -> dict[tuple[str, str], str]:
    """The salts that were published for a benchmark, by split and commitment; the first counts."""
    salts: dict[tuple[str, str], str] = {}
    for event in events:
        found = _OPENED_WHY.fullmatch(event.why or "")
        if event.event == OPENED and event.fingerprint == fingerprint and found:
            salts.setdefault((found[1], found[3]), found[2])
    return salts


def check_commitments(events: Sequence[LabelsEvent], benchmark: Benchmark) -> list[CommitmentCheck]:
    """What became of each commitment to labels of `benchmark`, in the order of the ledger.

    Raises EnvironmentFailure if its gold is not the one of the import.
    """
    fingerprint = benchmark.header.fingerprint
    salts = openings(events, fingerprint)
    return [
        CommitmentCheck(seq, split, made, _state(benchmark, split, made, salts.get((split, made))))
        for seq, split, made in commitments(events, fingerprint)
    ]


def _state(
    benchmark: Benchmark, split: str, made: str, salt: str | None
) -> Literal["closed", "holds", "broken", "unchecked"]:
    if salt is None:
        return "closed"
    if split not in benchmark.header.splits or not benchmark.has_gold(split):
        return "unchecked"
    return "holds" if fits(benchmark, split, SaltedLabels(salt, made)) else "broken"


def openable(
    benchmark: Benchmark, salts: Salts, split: str | None, events: Sequence[LabelsEvent]
) -> dict[str, SaltedLabels]:
    """The salts that are to be published now, by split; not those that are.

    Raises WrongUsageError if the ledger has no such commitment or there is no salt of `split`,
    EnvironmentFailure if the gold is no longer the one that was committed to.
    """
    committed = {(name, made) for _, name, made in commitments(events, salts.fingerprint)}
    public = openings(events, salts.fingerprint)
    if split is not None and split not in salts.labels:
        raise WrongUsageError(f"--split {split}: expected one of: {', '.join(salts.labels)}")
    chosen = {}
    for name, salted in salts.labels.items():
        if split not in (None, name) or (name, salted.commitment) in public:
            continue
        if (name, salted.commitment) not in committed:
            raise WrongUsageError(
                f"the ledger has no commitment {salted.commitment[:12]}... to labels of {name}; "
                "name the submissions folder that `ivcr data publish` was given"
            )
        if salts.fingerprint != benchmark.header.fingerprint or not fits(benchmark, name, salted):
            raise EnvironmentFailure(
                f"{benchmark.folder}: its labels of {name} are not those that were committed to; "
                "name the benchmark that was published"
            )
        chosen[name] = salted
    return chosen


def faults(checks: Sequence[CommitmentCheck], events: Sequence[LabelsEvent] = ()) -> list[str]:
    """Why commitments do not prove that the labels were fixed, in words; empty if they do.

    `events`: of the ledger; a rescoring after a second commitment is named, as it explains it.
    """
    found = [] if checks else ["the ledger has no commitment to labels of this benchmark"]
    for split in dict.fromkeys(check.split for check in checks):
        own = [check for check in checks if check.split == split]
        if any(check.state == "broken" for check in own):
            found.append(f"the labels of {split} are not those that were committed to")
        if len(own) > 1:
            # Whoever commits to two labels can open the one that suits.
            found.append(f"{split} has {len(own)} commitments; {_explained(own, events)}")
    return found


def _explained(own: Sequence[CommitmentCheck], events: Sequence[LabelsEvent]) -> str:
    """The reasons of the rescorings that came after the second commitment, or what to ask."""
    lines: dict[str, int] = {}
    for event in events:
        if event.event == RESCORED and event.seq > own[1].seq:
            lines.setdefault(event.why or "", event.seq)
    if not lines:
        return "ask why the first did not stand"
    named = [f"line {seq} scored again: {shown(why, 300)}" for why, seq in lines.items()]
    return f"{'; '.join(named[:5])}; whether that is why is for the organizers to say"


def require_faultless(
    checks: Sequence[CommitmentCheck], submissions: Path, events: Sequence[LabelsEvent] = ()
) -> None:
    """Require commitments without faults. Raises SubmissionError, which names the folder."""
    if found := faults(checks, events):
        raise SubmissionError(f"{submissions}: {'; '.join(found)}")
