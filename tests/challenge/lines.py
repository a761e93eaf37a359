"""Ledgers for tests: events of any kind, and folders that hold them."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from harness.challenge.ledger import append
from harness.challenge.ledger_lines import EVENTS, LedgerEvent

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = st.none() | st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,9}", fullmatch=True)
HASHES = st.none() | st.text("0123456789abcdef", min_size=64, max_size=64)
# msgspec refuses surrogates, which no text of ours holds.
TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
EVENT = st.builds(
    LedgerEvent,
    event=st.sampled_from(EVENTS),
    team=NAMES,
    run=NAMES,
    submission_sha256=HASHES,
    scores_sha256=HASHES,
    fingerprint=HASHES,
    gold_sha256=HASHES,
    scorer=TEXTS,
    why=TEXTS,
)


def sha(number):
    """A SHA-256 that stands for a number."""
    return f"{number:064x}"


def accepted(key, number, why="phase dev", **more):
    """A run that is accepted; `number` stands for its submission."""
    return event("accepted", key, number, why=why, **more)


def event(name, key=None, number=None, **more):
    """An event of TEAM/RUN, TEAM or the challenge."""
    team, _, run = (key or "").partition("/")
    return LedgerEvent(
        event=name,
        team=team or None,
        run=run or None,
        submission_sha256=None if number is None else sha(number),
        **more,
    )


def write_ledger(folder, events, start=NOON):
    """A ledger with these events, a minute between two."""
    for minutes, each in enumerate(events):
        append(folder, [each], now=start + timedelta(minutes=minutes))
    return folder / "ledger.jsonl"
