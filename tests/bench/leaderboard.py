"""Building a board of many submissions: whole, then again after one of them changed.

    python -m tests.bench.leaderboard [1000]

Runs have outcomes turn by turn, so that rank ranges are computed; tables of 100, 200 and 1,000 runs
are timed by themselves. Prints seconds, the share of time that an incremental build needs, and the
size of the first view.
"""

import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from harness.records import Card
from leaderboard.board.build_ledger import build_context, read_ledger, unchanged_entries
from leaderboard.board.column_cache import ColumnCache
from leaderboard.board.entries import EntryReader
from leaderboard.site import builder
from leaderboard.site.builder import SiteContents, entry_pages
from leaderboard.site.ledger_writing import unchanged_tables, write_ledger
from leaderboard.tables.ranked_table import tables
from leaderboard.tables.ranks import with_standings
from tests.leaderboard import generated


def build(submissions, bench, out, design):
    """One build as `ivcr leaderboard build` does it: seconds, seconds of a core, folders read."""
    start, busy, results = time.perf_counter(), time.process_time(), generated.TypedResults()
    context = build_context(bench, generated.METRICS, (), "bench")
    ledger = read_ledger(out, context)
    known = unchanged_entries(ledger, out)
    found = EntryReader(bench, generated.METRICS, results, (), known).collect(submissions)
    columns = ColumnCache(out.with_name("columns"))
    made = with_standings(
        tables(found.entries, generated.METRICS),
        generated.outcomes_of,
        lambda: design,
        {} if ledger is None else ledger.standings,
        columns=columns,
    )
    columns.save([entry.result for entry in found.entries])
    unchanged = unchanged_tables(ledger, made, out)
    builder.build(SiteContents(found, bench, generated.METRICS, made, unchanged=unchanged), out)
    write_ledger(out, context, [(entry, entry_pages(entry)) for entry in found.entries], made)
    return time.perf_counter() - start, time.process_time() - busy, len(results.computed)


def change(submissions):
    """Change one submission's figures."""
    file = next(iter(sorted(submissions.glob("*/*/scores.json"))))
    document = json.loads(file.read_text())
    cell = document["metrics"]["all"]["R@1"]
    cell["value"] = (cell["value"] + cell["high"]) / 2
    file.write_text(json.dumps(document))


def one_table(rows):
    """The rank ranges of a single table of so many runs; seconds."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        bench = generated.bench(root)
        cards = [Card(1, "Team", f"System {n}", "none", "unused") for n in range(rows)]
        draw = random.Random(2)
        for n, card in enumerate(cards):
            figures = generated.figures(draw.uniform(0.2, 0.5), ("video",), draw)
            generated.put(root / "runs" / "team" / f"run-{n}", bench, card, figures)
        design = generated.turn_by_turn(root / "runs", bench, np.random.default_rng(2))
        found = EntryReader(bench, generated.METRICS, generated.TypedResults()).collect(
            root / "runs"
        )
        made = tables(found.entries, generated.METRICS)[:1]
        start = time.perf_counter()
        with_standings(made, generated.outcomes_of, lambda: design, {})
        return time.perf_counter() - start


def main(rows):
    for size in (100, 200, 1000):
        print(f"one table of {size:<5,} {one_table(size):6.2f} s for its rank ranges")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        submissions, bench = generated.board(root, systems=rows // 2)
        print(f"{sum(1 for _ in submissions.glob('*/*'))} runs, load {os.getloadavg()[0]:.1f}")
        design = generated.turn_by_turn(submissions, bench, np.random.default_rng(1))
        whole, busy, folders = build(submissions, bench, root / "site", design)
        print(f"whole build        {whole:6.2f} s ({busy:.2f} s of a core), {folders} folders read")
        change(submissions)
        again, busy, folders = build(submissions, bench, root / "site", design)
        print(
            f"incremental build  {again:6.2f} s ({busy:.2f} s of a core), {folders} read:"
            f" {again / whole:.0%} of the whole"
        )
        for page in ("index.html", "index.zh.html", "tracks/video.html"):
            print(f"{page:<18} {(root / 'site' / page).stat().st_size / 1024:6.0f} KiB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
