"""What a run's own page says of its badge and of its files for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leaderboard.board.records import Entry
from leaderboard.results.description import MetricInfo
from leaderboard.site.feeds.headline_figures import has_badge
from leaderboard.site.pages import policy
from leaderboard.site.site_paths import badge_file, hub_files, slug, system_document_file

SITE = "https://BOARD"  # in snippets: whoever copies one puts the site's address there
ALT = "Rank on the leaderboard"


def sharing(entry: Entry, metrics: Mapping[str, MetricInfo]) -> dict[str, Any]:
    """Values of the template system.html, which depend on no other entry."""
    shown = has_badge(entry, metrics)
    page, image = f"{SITE}/systems/{slug(entry)}.html", f"{SITE}/{badge_file(entry)}"
    return {
        "badge": badge_file(entry) if shown else None,
        "badge_markdown": f"[![{ALT}]({image})]({page})",
        "badge_html": f'<a href="{page}"><img src="{image}" alt="{ALT}" height="20"></a>',
        "document": system_document_file(entry),
        "hub_files": hub_files(entry),
        "policy": policy(images=shown),
    }
