"""feed.atom: what happened to the runs of a board, as a feed (Atom, RFC 4287)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping

from markupsafe import escape

from harness.publication.escaping import LONG, visible
from leaderboard.board.records import BoardContents, BoardEvent, Entry
from leaderboard.results.description import Bench
from leaderboard.site.site_paths import slug

FEED = "feed.atom"
MOST = 100  # entries, the newest; events.json has all
# Names of ours hang below it (RFC 9562, version 5): the same event has the same id in every build.
NAMESPACE = uuid.UUID("6a3b2b1e-5d0f-4c7a-9a35-6c1f0e5b7d42")
TITLES = {
    "accepted": "New: {}",
    "replaced": "New version: {}",
    "rescored": "Scored again: {}",
    "withdrawn": "Withdrawn: {}",
}
SENTENCES = {
    "accepted": "The run {} was accepted.",
    "replaced": "A new version of the run {} was accepted.",
    "rescored": "The run {} was scored again.",
    "withdrawn": "The run {} was withdrawn.",
}


def has_feed(board: BoardContents) -> bool:
    """Whether a board has a feed: its times are those of a ledger in which something happened."""
    return board.mark is not None and board.mark.last_event is not None


def feed(board: BoardContents, bench: Bench) -> bytes:
    """The feed of a board that has one, newest first.

    Links are relative to the feed, since a site of files does not know its address.
    """
    about, mark = board.about, board.mark
    title = about.title if about else f"{bench.name} {bench.split}"
    events = board.events[::-1][:MOST]
    updated = events[0].at if events else (mark.last_event if mark else None) or ""
    author = ", ".join(about.organizers) if about and about.organizers else title
    rows = {entry.key: entry for entry in board.entries}
    rights = about.licence if about else None
    head = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">',
        f"<id>{_id(bench.fingerprint, bench.split, title)}</id>",
        f"<title>{_text(title)}</title>",
        f"<updated>{_text(updated)}</updated>",
        f"<author><name>{_text(author)}</name></author>",
        f'<link rel="self" type="application/atom+xml" href="{FEED}"/>',
        '<link rel="alternate" type="text/html" href="index.html"/>',
        *([f"<rights>{_text(rights)}</rights>"] if rights else []),
    ]
    entries = [line for event in events for line in _entry(event, rows, bench)]
    return "\n".join([*head, *entries, "</feed>", ""]).encode()


def _entry(event: BoardEvent, rows: Mapping[str, Entry], bench: Bench) -> Iterator[str]:
    row = rows.get(event.key)
    name = event.key if row is None else f"{_system(row)} ({row.card.team})"
    place = "index.html" if row is None else f"systems/{slug(row)}.html"
    what = SENTENCES[event.what].format(visible(event.key))
    why = f" {visible(event.why, LONG)}" if event.why else ""
    yield "<entry>"
    yield f"<id>{_id(bench.fingerprint, bench.split, event.at, event.what, event.key)}</id>"
    yield f"<title>{_text(TITLES[event.what].format(visible(name)))}</title>"
    yield f"<updated>{_text(event.at)}</updated>"
    yield f'<link rel="alternate" type="text/html" href="{place}"/>'
    yield f'<content type="text">{_text(what + why)}</content>'
    yield "</entry>"


def _system(row: Entry) -> str:
    card = row.card
    return f"{card.system} {card.variant}" if card.variant else card.system


def _id(*parts: str) -> str:
    return uuid.uuid5(NAMESPACE, repr(parts)).urn


def _text(text: str) -> str:
    return str(escape(visible(text, LONG)))
