"""Where everything stands in the site: the places of pages and files, and anchors in pages."""

from __future__ import annotations

import hashlib
import re

from leaderboard.board.records import Entry
from leaderboard.tables.ranked_table import Table
from leaderboard.tables.tracks import Track

ENDINGS = {"en": ".html", "zh": ".zh.html"}
FORMATS = ("csv", "md", "tex")
DIALOGUES, DIALOGUES_A_PAGE = "dialogues", 25
API = "api/v1"  # what programs read; its form is a promise (docs/board_api.md)


def slug(entry: Entry) -> str:
    """The file name of an entry's page: stable, and unlike any other's even where case folds."""
    parts = entry.key.split("/")
    plain = [re.sub(r"[^a-z0-9_]+", "-", part).strip("-")[:60] for part in parts]
    name = "--".join(plain)
    if plain == parts:
        return name
    return f"{name}--{hashlib.sha256(entry.key.encode()).hexdigest()[:8]}"


def pages_at(path: str) -> list[str]:
    """A page in every language, by its place without its ending."""
    return [path + ending for ending in ENDINGS.values()]


def compare_page(table: Table) -> str:
    """The place of a table's compare page in the site, without its ending."""
    return f"compare/{table.name}"


def track_page(track: Track) -> str:
    """The place of a track's page in the site, without its ending."""
    return f"tracks/{track.name}"


def table_files(table: Table) -> list[str]:
    """The files that a table has to itself: its exports, and its compare page where it has one."""
    pages = pages_at(compare_page(table)) if table.standing.pairs else []
    exported = (f"tables/{table.name}.{ending}" for ending in FORMATS)
    return [*exported, table_document_file(table), *pages]


def table_document_file(table: Table) -> str:
    """The place of a table's document for programs."""
    return f"{API}/tables/{table.name}.json"


def system_document_file(entry: Entry) -> str:
    """The place of an entry's document for programs."""
    return f"{API}/systems/{slug(entry)}.json"


def hub_files(entry: Entry) -> list[str]:
    """The records of an entry in the forms of others; floors and controls have none."""
    if not entry.ranked:
        return []
    return [
        f"exports/{slug(entry)}.{form}" for form in ("eval_results.yaml", "every_eval_ever.json")
    ]


def badge_file(entry: Entry) -> str:
    """The place of an entry's badge."""
    return f"badges/{slug(entry)}.svg"


def page_of(place: int) -> str:
    """The page of dialogue number `place`, from 0, without its ending; its anchor is d1, d2, ..."""
    return f"{DIALOGUES}/{place // DIALOGUES_A_PAGE + 1}"


def anchor(metric: str) -> str:
    """The stable anchor of a metric on the metrics page."""
    return re.sub(r"[^a-z0-9.]+", "-", metric.lower()).strip("-")
