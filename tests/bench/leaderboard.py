"""Building a board of many submissions: whole, then again after one of them changed.

    python -m tests.bench.leaderboard [1000]

Prints seconds, the share of time that an incremental build needs, and the size of the first view.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from leaderboard import ledger, site
from leaderboard.entries import Reader
from tests.leaderboard import generated


def build(submissions, bench, out):
    """One build as `ivcr leaderboard build` does it; seconds, and how many folders were hashed."""
    start, hashed = time.perf_counter(), []

    def sha256(folder):
        hashed.append(folder)
        return generated.sha256(folder)

    context = ledger.context(bench, generated.METRICS, ())
    known = ledger.known(ledger.read(out, context), out)
    found = Reader(bench, generated.METRICS, sha256, (), known).collect(submissions)
    site.build(found, bench, generated.METRICS, out)
    ledger.keep(out, context, [(entry, site.pages_of(entry)) for entry in found.entries])
    return time.perf_counter() - start, len(hashed)


def spoil(submissions):
    """Change one submission's figures."""
    file = next(iter(sorted(submissions.glob("*/*/scores.json"))))
    document = json.loads(file.read_text())
    cell = document["metrics"]["all"]["R@1"]
    cell["value"] = (cell["value"] + cell["high"]) / 2
    file.write_text(json.dumps(document))


def main(rows):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        submissions, bench = generated.board(root, systems=rows // 2)
        print(f"{sum(1 for _ in submissions.glob('*/*'))} runs, load {os.getloadavg()[0]:.1f}")
        whole, hashed = build(submissions, bench, root / "site")
        print(f"whole build        {whole:6.2f} s, {hashed} folders read")
        spoil(submissions)
        again, hashed = build(submissions, bench, root / "site")
        print(f"incremental build  {again:6.2f} s, {hashed} read: {again / whole:.0%} of the whole")
        for page in ("index.html", "index.zh.html", "tracks/video.html"):
            print(f"{page:<18} {(root / 'site' / page).stat().st_size / 1024:6.0f} KiB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
