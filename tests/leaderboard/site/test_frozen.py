"""Frozen boards: as published, whole or absent, carried over by every build, and verifiable."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from harness.errors import EnvironmentFailure, SubmissionError, WrongUsageError
from harness.files import readable
from leaderboard.board.records import BoardContents, LedgerMark
from leaderboard.site.frozen import carrying, freezing
from leaderboard.site.frozen.freezing import freeze
from leaderboard.site.frozen.frozen_check import check_frozen
from leaderboard.site.frozen.site_lock import locked_site
from tests.leaderboard import generated
from tests.leaderboard.conftest import build
from tests.leaderboard.html_reading import Page
from tests.leaderboard.site.test_builder import tree
from tests.leaderboard.tables.test_ranked_table import entry

HEAD = "ab" * 32
KILLED = """
import os, signal, sys
from pathlib import Path
from leaderboard.site.frozen import freezing

whole, left = freezing.link_or_copy, [int(sys.argv[2])]

def killed(old, new):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    whole(old, new)

freezing.link_or_copy = killed
freezing.freeze(Path(sys.argv[1]), "phase-1")
"""


def board(value=0.5, last="2026-05-01T00:00:00Z"):
    return BoardContents((entry("a/b", **{"R@1": value}),), (), (), mark=LedgerMark(HEAD, last))


@pytest.fixture
def site(tmp_path):
    """A small site of a challenge, in a folder of its own."""
    build(board(), generated.bench(tmp_path), tmp_path / "site", scorer="0.2.0")
    return tmp_path / "site"


def again(site, value, **parts):
    build(board(value), generated.bench(site.parent), site, scorer="0.2.0", **parts)


def test_a_frozen_board_is_what_was_published(site):
    before = tree(site)
    made = freeze(site, "phase-1")
    place = site / "frozen" / "phase-1"
    after = tree(place)
    manifest = json.loads((place / "manifest.json").read_text())
    assert {path: record["sha256"] for path, record in manifest["files"].items()} == before
    assert {path: record["size"] for path, record in manifest["files"].items()} == {
        path: (site / path).stat().st_size for path in before
    }
    assert made.sha256 == after.pop("manifest.json")
    del after["SHA256SUMS"]
    assert after == before
    assert (made.folder, made.files) == (place, len(before))
    assert manifest["board"] == {
        "benchmark": "IVCR-Mini", "version": manifest["board"]["version"],
        "split": "test", "labels": "public",
        "fingerprint": generated.bench(site.parent).fingerprint, "scorer": "0.2.0",
        "ledger": {"head": HEAD, "last_event": "2026-05-01T00:00:00Z"},
    }  # fmt: skip
    page = (place / "index.html").read_text()
    assert HEAD in page
    assert "2026-05-01T00:00:00Z" in page


def test_every_link_of_a_frozen_board_leads_to_a_file_of_it(site):
    freeze(site, "first")
    again(site, 0.6)
    place = freeze(site, "second").folder
    for path in place.rglob("*.html"):
        for address in Page(path.read_text("utf-8")).attributes("href"):
            target = address.partition("#")[0]
            if target and not target.startswith(("https:", "data:")):
                found = (path.parent / target).resolve()
                assert found.is_file()
                assert found.is_relative_to(place.resolve())


def test_a_later_build_carries_all_over_and_lists_them_with_their_sums(site):
    first = freeze(site, "phase-1").sha256
    again(site, 0.6)
    second = freeze(site, "phase-2").sha256
    before = tree(site / "frozen")
    again(site, 0.7)
    again(site, 0.8)
    assert tree(site / "frozen") == before
    for language, heading in (("", "Frozen boards"), (".zh", "存档榜单")):
        page = Page((site / f"index{language}.html").read_text("utf-8"))
        assert page.text.count(heading) == 2, "in the contents, and above the list"
        assert [text for text in page.text if text in (first, second)] == [first, second]
        links = [a for a in page.attributes("href") if a.startswith("frozen/")]
        assert links == [
            f"frozen/phase-1/index{language}.html", "frozen/phase-1/manifest.json",
            f"frozen/phase-2/index{language}.html", "frozen/phase-2/manifest.json",
        ]  # fmt: skip
        assert all((site / link).is_file() for link in links)
    assert not (site / "frozen" / "phase-2" / "frozen").exists()
    assert check_frozen(site / "frozen" / "phase-1", first).problems == ()
    assert check_frozen(site / "frozen" / "phase-2", second).problems == ()


def test_without_frozen_boards_no_page_speaks_of_them_and_a_list_leaves_no_trace(site):
    plain = tree(site)
    assert "frozen" not in (site / "index.html").read_text().partition("<body>")[2]
    freeze(site, "phase-1")
    again(site, 0.5)
    place = freeze(site, "phase-2").folder
    copied = tree(place)
    del copied["manifest.json"], copied["SHA256SUMS"]
    assert copied == plain, "the list of frozen boards is cut out, and nothing else"


def test_an_edit_of_the_live_site_by_a_build_never_reaches_a_frozen_page(site):
    """Pages are linked, so this holds only as long as no build writes into a page."""
    place = freeze(site, "phase-1").folder
    assert (place / "metrics.html").stat().st_ino == (site / "metrics.html").stat().st_ino
    before = tree(place)
    for value in (0.1, 0.2):
        again(site, value)
    assert tree(place) == before


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", "Phase", "a b", "a--b", "-a", "a.",
                                  "a\n", "é", "<b>", "x" * 65, ".ivcr-x.part"])  # fmt: skip
def test_a_name_is_a_plain_word(site, name):
    before = tree(site)
    with pytest.raises(WrongUsageError, match="expected a name of small letters"):
        freeze(site, name)
    assert tree(site) == before


def test_a_name_is_taken_once(site):
    freeze(site, "v1.0_final-2")
    before = tree(site)
    again(site, 0.9)
    kept = tree(site / "frozen")
    with pytest.raises(WrongUsageError, match="is there already"):
        freeze(site, "v1.0_final-2")
    assert tree(site / "frozen") == kept
    assert {path for path in before if path.startswith("frozen/")} == {
        f"frozen/{path}" for path in kept
    }


def test_neither_a_frozen_board_nor_another_folder_is_frozen_or_built_over(site, tmp_path):
    place = freeze(site, "phase-1").folder
    with pytest.raises(WrongUsageError, match="is a frozen board itself"):
        freeze(place, "deeper")
    with pytest.raises(WrongUsageError, match="is a frozen board"):
        build(board(), generated.bench(tmp_path), place)
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "absent"):
        with pytest.raises(WrongUsageError, match="expected a built site"):
            freeze(folder, "x")
    assert not (tmp_path / "empty" / "frozen").exists()
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize("plant", ["link", "pipe", "name"])
def test_what_no_build_writes_is_not_frozen(site, plant):
    where = site / "systems" / ("a b.html" if plant == "name" else "x.html")
    if plant == "link":
        where.symlink_to("/etc/passwd")
    elif plant == "pipe":
        os.mkfifo(where)
    else:
        where.write_text("x")
    with pytest.raises((WrongUsageError, EnvironmentFailure)):
        freeze(site, "phase-1")
    assert not (site / "frozen").exists()


@pytest.mark.parametrize("after", [1, 3, 9])
def test_a_kill_leaves_no_frozen_board_and_the_next_freeze_makes_a_whole_one(site, after):
    before = tree(site)
    made = subprocess.run(
        [sys.executable, "-c", KILLED, str(site), str(after)],
        cwd=Path(__file__).parents[3], check=False,
    )  # fmt: skip
    assert made.returncode == -signal.SIGKILL
    assert not (site / "frozen" / "phase-1").exists()
    again(site, 0.5)
    assert tree(site) == before, "a build carries no unfinished one over"
    made = freeze(site, "phase-1")
    assert [path.name for path in (site / "frozen").iterdir()] == ["phase-1"]
    assert check_frozen(made.folder, made.sha256).problems == ()


def test_a_kill_or_fault_of_a_build_leaves_the_frozen_boards(site, monkeypatch):
    freeze(site, "phase-1")
    before, whole = tree(site), carrying.link_or_copy

    def fail(old, new):
        if new.name == "SHA256SUMS":
            raise OSError(28, "No space left on device")
        whole(old, new)

    monkeypatch.setattr(carrying, "link_or_copy", fail)
    with pytest.raises(EnvironmentFailure, match="make room there"):
        again(site, 0.9)
    assert tree(site) == before


def test_a_disk_without_links_gets_copies(site, monkeypatch):
    monkeypatch.setattr(Path, "hardlink_to", lambda *_: (_ for _ in ()).throw(OSError(95, "no")))
    made = freeze(site, "phase-1")
    assert (made.folder / "metrics.html").stat().st_nlink == 1
    before = tree(made.folder)
    again(site, 0.9)
    assert tree(made.folder) == before


def test_a_freeze_waits_for_a_build_and_freezes_what_it_made(site):
    """A build puts another folder in the place of the one that the freeze was started in."""
    frozen = []
    with locked_site(site):
        thread = threading.Thread(target=lambda: frozen.append(freeze(site, "phase-1")))
        thread.start()
        time.sleep(0.2)
        assert frozen == []
        assert not (site / "frozen").exists()
        shutil.copytree(site, site.with_name("new"))
        (site.with_name("new") / "metrics.html").write_text("new")
        site.rename(site.with_name("old"))
        site.with_name("new").rename(site)
    thread.join(20)
    assert (site / "frozen" / "phase-1" / "metrics.html").read_text() == "new"


def test_a_new_folder_that_holds_frozen_boards_alone_becomes_a_site_with_them(site, tmp_path):
    digest = freeze(site, "phase-1").sha256
    shutil.copytree(site / "frozen", tmp_path / "fresh" / "frozen")
    build(board(0.3), generated.bench(tmp_path), tmp_path / "fresh")
    assert digest in (tmp_path / "fresh" / "index.html").read_text()


@pytest.mark.parametrize("what", ["file", "folder", "link", "no manifest", "broken manifest"])
def test_a_build_stops_rather_than_lose_what_stands_among_frozen_boards(site, what):
    place = freeze(site, "phase-1").folder
    if what == "file":
        (site / "frozen" / "notes.txt").write_text("x")
    elif what == "folder":
        (site / "frozen" / "phase-2").mkdir()
    elif what == "link":
        (place / "x.html").symlink_to("index.html")
    elif what == "no manifest":
        (place / "manifest.json").unlink()
    else:
        (place / "manifest.json").unlink()
        (place / "manifest.json").write_text("{}")
    before = tree(site)
    with pytest.raises((EnvironmentFailure, SubmissionError)):
        again(site, 0.9)
    assert tree(site) == before


@pytest.fixture
def copy(site, tmp_path):
    """A copy of a frozen board that somebody took home, and the published sum of its manifest."""
    made = freeze(site, "phase-1")
    shutil.copytree(made.folder, tmp_path / "home")
    shutil.rmtree(site)
    return tmp_path / "home", made.sha256


def sha256sum(folder, *arguments):
    return subprocess.run(
        ["sha256sum", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_coreutils_check_a_copy(copy):
    folder, digest = copy
    if shutil.which("sha256sum") is None:
        pytest.skip("needs sha256sum of coreutils")
    done = sha256sum(folder, "--check", "--strict", "SHA256SUMS")
    assert (done.returncode, done.stderr) == (0, "")
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {line.removesuffix(": OK") for line in done.stdout.splitlines()} == files - {
        "SHA256SUMS"
    }
    assert sha256sum(folder, "manifest.json").stdout.split()[0] == digest
    with (folder / "metrics.html").open("a") as page:
        page.write(" ")
    done = sha256sum(folder, "--check", "--strict", "SHA256SUMS")
    assert done.returncode == 1
    assert "metrics.html: FAILED" in done.stdout


def changed_page(folder):
    page = folder / "index.html"
    page.write_bytes(page.read_bytes().replace(b"5", b"6", 1))


def changed_length(folder):
    with (folder / "index.html").open("ab") as page:
        page.write(b"x")


def missing(folder):
    (folder / "leaderboard.csv").unlink()


def added(folder):
    (folder / "systems" / "more\x1b[31m.html").write_text("x")


def added_deep(folder):
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / ".DS_Store").write_text("x")


def linked(folder):
    (folder / "metrics.html").rename(folder.parent / "away.html")
    (folder / "metrics.html").symlink_to(folder.parent / "away.html")


def pipe(folder):
    (folder / "metrics.html").unlink()
    os.mkfifo(folder / "metrics.html")


def sums_changed(folder):
    text = (folder / "SHA256SUMS").read_text()
    (folder / "SHA256SUMS").write_text(text.replace("  index.html", "  index.htm"))


@pytest.mark.parametrize(("spoil", "line"), [
    (changed_page, "changed: index.html: expected SHA-256 "),
    (changed_length, "changed: index.html: expected SHA-256 "),
    (missing, "missing: leaderboard.csv"),
    (added, 'added: "systems/more\\x1b[31m.html"'),
    (added_deep, 'added: "a/b/.DS_Store"'),
    (linked, "changed: metrics.html: expected a file, found a link"),
    (pipe, "changed: metrics.html: expected a file, found a link or something else"),
    (sums_changed, "changed: SHA256SUMS: expected SHA-256 "),
], ids=lambda each: getattr(each, "__name__", ""))  # fmt: skip
def test_a_spoilt_copy_is_named_file_by_file(ivcr, copy, spoil, line):
    folder, digest = copy
    code, out, err = ivcr("leaderboard", "verify-frozen", folder, "--manifest", digest)
    assert (code, err) == (0, "")
    assert out.splitlines()[1] == f"SHA-256 of manifest.json: {digest}"
    spoil(folder)
    code, out, err = ivcr("leaderboard", "verify-frozen", folder, "--manifest", digest)
    assert (code, out) == (1, "")
    (named, last) = err.splitlines()
    assert named.startswith(line)
    assert "1 of its files are not as they were frozen" in last
    assert "\x1b" not in err


def test_every_departure_is_named_at_once(copy):
    folder, digest = copy
    for spoil in (changed_page, missing, added, linked, sums_changed):
        spoil(folder)
    kinds = [line.partition(":")[0] for line in check_frozen(folder, digest).problems]
    assert sorted(kinds) == ["added", "changed", "changed", "changed", "missing"]


def test_who_changes_the_manifest_too_is_found_by_the_published_sum_alone(copy):
    folder, digest = copy
    changed_page(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    done = sha256sum(folder, "index.html").stdout.split()[0]
    manifest["files"]["index.html"]["sha256"] = done
    (folder / "manifest.json").write_bytes(readable(manifest))
    names = [*manifest["files"], "manifest.json"]
    (folder / "SHA256SUMS").write_text(sha256sum(folder, *sorted(names)).stdout)
    assert check_frozen(folder).problems == ()
    (line,) = check_frozen(folder, digest.upper()).problems
    assert line.startswith(f"changed: manifest.json: expected SHA-256 {digest}, found ")


@pytest.mark.parametrize("change", [
    lambda m: m | {"schema": 2},
    lambda m: {key: value for key, value in m.items() if key != "board"},
    lambda m: m | {"files": {"../../etc/passwd": {"sha256": "0" * 64, "size": 1}}},
    lambda m: m | {"files": {"/etc/passwd": {"sha256": "0" * 64, "size": 1}}},
    lambda m: m | {"files": {"a\n": {"sha256": "0" * 64, "size": 1}}},
    lambda m: m | {"files": {"a": {"sha256": "0" * 63, "size": 1}}},
    lambda m: m | {"files": {"a": {"sha256": "0" * 64, "size": -1}}},
    lambda m: [],
])  # fmt: skip
def test_a_hostile_manifest_is_refused_in_a_line(ivcr, copy, change):
    folder, _ = copy
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(change(manifest)))
    code, out, err = ivcr("leaderboard", "verify-frozen", folder)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "expected the manifest of a frozen board" in err


def test_a_deep_folder_and_an_absent_one_are_told(ivcr, copy, tmp_path):
    folder, digest = copy
    try:
        for _ in range(1_200):
            folder.with_name("outer").mkdir()
            if (folder / "d").exists():
                (folder / "d").rename(folder.with_name("outer") / "d")
            folder.with_name("outer").rename(folder / "d")
        assert ivcr("leaderboard", "verify-frozen", folder, "--manifest", digest)[0] == 0
    finally:  # too deep for pytest's own tidying
        subprocess.run(["rm", "-rf", folder / "d"], check=True)
    assert ivcr("leaderboard", "verify-frozen", tmp_path / "absent")[0] == 3
    assert ivcr("leaderboard", "verify-frozen", folder, "--manifest", "12")[0] == 2


def test_the_command_prints_the_sum_and_says_what_comes_next(ivcr, site):
    code, out, err = ivcr("leaderboard", "freeze", site, "phase-1")
    place = site / "frozen" / "phase-1"
    assert code == 0
    assert out.splitlines()[1].split()[-1] == sha256sum(place, "manifest.json").stdout.split()[0]
    assert "ivcr leaderboard build" in err
    code, out, err = ivcr("leaderboard", "freeze", site, "phase-1")
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_freezing_the_same_site_again_gives_the_same_bytes(site, tmp_path):
    shutil.copytree(site, tmp_path / "other" / "site")
    first, second = (freeze(each, "x").folder for each in (site, tmp_path / "other" / "site"))
    assert tree(first) == tree(second)


def test_a_site_without_a_challenge_says_so(tmp_path):
    build(BoardContents((), (), ()), generated.bench(tmp_path), tmp_path / "site")
    folder = freeze(tmp_path / "site", "empty").folder
    assert json.loads((folder / "manifest.json").read_bytes())["board"]["ledger"] is None
    build(BoardContents((), (), ()), generated.bench(tmp_path), tmp_path / "site")
    page = Page((tmp_path / "site" / "index.html").read_text("utf-8"))
    assert "frozen/empty/index.html" in page.attributes("href")


def test_the_front_page_cut_is_that_of_the_template():
    """A list that another form of the page no longer holds would stay in the copy unseen."""
    template = Path(freezing.__file__).parents[1] / "templates" / "index.html"
    assert len(freezing.LIST.findall(template.read_bytes())) == 2
