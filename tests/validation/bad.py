"""A bad example of every rule, done to a submission that is otherwise complete and valid."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from harness.files import zstd
from tests.validation.samples import CARD, LINES, UNDATED, VIDEOS, encoded

PREDICTIONS = "predictions.jsonl"


class Bad(NamedTuple):
    """What is done to the folder, the line that is found bad (None: no line), what else follows.

    `missing`: how many turns lose their only answer by it; `also`: codes that cannot but come
    along; `meanwhile`: what happens to the folder while the predictions are read.
    """

    do: Callable[[Path], object]
    line: int | None = None
    missing: int = 0
    also: Mapping[str, int] = MappingProxyType({})
    meanwhile: Callable[[Path], object] | None = None


def file(name: str, data: bytes, instead: bool = True) -> Callable[[Path], object]:
    """Put a file into the folder, in place of the predictions unless it is to stand beside them."""

    def do(folder: Path) -> None:
        if instead:
            (folder / PREDICTIONS).unlink()
        (folder / name).write_bytes(data)

    return do


def card(old: str, new: str) -> Callable[[Path], object]:
    """Replace a piece of the card."""
    assert old in CARD
    return lambda folder: (folder / "card.toml").write_text(CARD.replace(old, new), "utf-8")


def raw(number: int, data: bytes) -> Callable[[Path], object]:
    """Put another line (from 1) in place of one, or after the last."""

    def do(folder: Path) -> None:
        lines = list(map(encoded, LINES))
        lines[number - 1 : number] = [data]
        (folder / PREDICTIONS).write_bytes(b"".join(line + b"\n" for line in lines))

    return do


def changed(number: int, **parts: object) -> Callable[[Path], object]:
    """Change keys of a line (from 1); None takes a key away."""
    line = {**LINES[number - 1], **parts}
    return raw(number, encoded({key: part for key, part in line.items() if part is not None}))


def text(number: int, old: str, new: str) -> Callable[[Path], object]:
    """Replace a piece of a line's text."""
    line = encoded(LINES[number - 1]).decode()
    assert old in line
    return raw(number, line.replace(old, new, 1).encode("utf-8", "surrogateescape"))


def moments(*spans: tuple[str, float, float]) -> Callable[[Path], object]:
    """Put other moments into the moment turn's line."""
    return changed(2, moments=[{"video_id": v, "start": s, "end": e} for v, s, e in spans])


def link(target: str) -> Callable[[Path], object]:
    """Put a link in place of the predictions."""

    def do(folder: Path) -> None:
        (folder / PREDICTIONS).rename(folder.parent / "predictions.jsonl")
        (folder / PREDICTIONS).symlink_to(target)

    return do


def a_folder(folder: Path) -> None:
    (folder / PREDICTIONS).unlink()
    (folder / PREDICTIONS).mkdir()


def sparse(folder: Path) -> None:
    with (folder / PREDICTIONS).open("r+b") as stream:
        stream.truncate(1 << 30)


def touch(folder: Path) -> None:
    os.utime(folder / PREDICTIONS, (1, 1))


SOUND = b"".join(encoded(line) + b"\n" for line in LINES)
REPORTED = (
    CARD.replace('"predictions"', '"reported"') + 'source = "p. 3"\nfigures = {"R@1" = 0.5}\n'
)

BAD = {
    "S100": Bad(lambda folder: (folder / "card.toml").write_text(REPORTED)),
    "S101": Bad(file("predictions.json", SOUND)),
    "S102": Bad(file("predictions.jsonl.gz", gzip.compress(SOUND), instead=False)),
    "S103": Bad(a_folder),
    "S104": Bad(link("../predictions.jsonl")),
    "S105": Bad(link("nowhere.jsonl")),
    "S106": Bad(lambda folder: None, meanwhile=touch),
    "S107": Bad(file("predictions.jsonl.gz", SOUND)),
    "S108": Bad(file("predictions.jsonl.zst", zstd.compress(SOUND)[:-4])),
    "S109": Bad(file("predictions.jsonl.zst", zstd.compress(bytes(120 << 20)))),
    "S110": Bad(sparse),
    "S111": Bad(file(PREDICTIONS, SOUND.decode().encode("utf-16"))),
    "S112": Bad(file(PREDICTIONS, b"\xef\xbb\xbf" + SOUND), 1),
    "S113": Bad(file(PREDICTIONS, SOUND.replace(b"\n", b"\r\n")), 1),
    "S114": Bad(raw(6, b" \t"), 6),
    "S115": Bad(file(PREDICTIONS, SOUND + b"\n" * 10_100), also={"S114": 10_005}),
    "S116": Bad(file("predictions.jsonl.zst", zstd.compress(b"") * 20_000)),
    "L100": Bad(changed(3, response="word " * 400_000), 3, missing=1),
    "L101": Bad(text(3, "门", "\udcff"), 3, 1),
    "L102": Bad(text(3, "it is", "it\0is"), 3, 1),
    "L103": Bad(raw(3, encoded(LINES[2])[:-1]), 3, 1),
    "L104": Bad(raw(3, b"[" * 100_000 + b"]" * 100_000), 3, 1),
    "L105": Bad(text(2, "2.5", "NaN"), 2, 1),
    "L106": Bad(text(2, "2.5", "1e400"), 2),
    "L107": Bad(text(3, "it is", "\\ud83d"), 3),
    "L108": Bad(text(4, '"videos"', '"videos": ["v/b.mp4"], "videos"'), 4),
    "L109": Bad(raw(3, b'["d1", 3, "yes"]'), 3, 1),
    "L110": Bad(changed(4, video=["v/a.mp4"]), 4),
    "L111": Bad(changed(2, moments=[{"video_id": "v/a.mp4", "start": 1}]), 2),
    "L112": Bad(changed(1, videos="v/a.mp4"), 1),
    "L113": Bad(file(PREDICTIONS, b"[" + SOUND.replace(b"\n", b",")[:-1] + b"]")),
    "T100": Bad(file(PREDICTIONS, b"".join(SOUND.splitlines(keepends=True)[:4])), None, 1),
    "T101": Bad(raw(6, encoded(LINES[3])), 6),
    "T102": Bad(raw(6, encoded({**LINES[3], "dialogue_id": "d22"})), 6),
    "T103": Bad(raw(6, encoded({**LINES[3], "turn": 3})), 6),
    "T104": Bad(raw(6, encoded({**LINES[3], "dialogue_id": "d8"}))),
    "V100": Bad(changed(4, videos=["v/a.mp4", "v/b.avi"]), 4),
    "V101": Bad(changed(4, videos=["v/a.mp4", "v/b.mp4", "v/a.mp4"]), 4),
    "V102": Bad(changed(4, videos=VIDEOS[:101]), 4),
    "V103": Bad(changed(4, videos=None), 4),
    "M100": Bad(changed(2, moments=None, videos=["v/a.mp4"]), 2),
    "M101": Bad(moments(("v/train.mp4", 1, 2)), 2),
    "M102": Bad(moments(("v/a.mp4", 1, 2), ("v/a.mp4", 1.0, 2.0004)), 2),
    "M103": Bad(moments(*(("v/a.mp4", n / 10, 29) for n in range(101))), 2),
    "M201": Bad(moments(("v/a.mp4", 9.5, 4)), 2),
    "M202": Bad(moments(("v/a.mp4", 4, 4.0001)), 2),
    "M203": Bad(moments(("v/a.mp4", 4, 31.001)), 2),
    "M204": Bad(moments(("v/a.mp4", 30, 40)), 2),
    "M205": Bad(moments(("v/a.mp4", -0.5, 3)), 2),
    "M206": Bad(moments(("v/a.mp4", 4, 31)), 2),
    "M208": Bad(moments(("v/a.mp4", 0.1, 0.5), ("v/b.mp4", 0.25, 1))),
    "M207": Bad(moments((UNDATED, 4, 3000))),
    "H100": Bad(changed(5, choice=["v/k.mp4"]), 5),
    "H101": Bad(changed(5, choice=["v/c.mp4", "v/c.mp4"]), 5),
    "H102": Bad(changed(5, choice=VIDEOS[:11]), 5),
    "R100": Bad(changed(3, response=None), 3),
    "R101": Bad(changed(3, response="so " * 34_000), 3),
    "C100": Bad(lambda folder: (folder / "card.toml").unlink()),
    "C101": Bad(card("A system", "A system" * 10_000)),
    "C102": Bad(lambda folder: (folder / "card.toml").write_bytes(CARD.encode("utf-16"))),
    "C103": Bad(card('"A team"', "A team")),
    "C104": Bad(card('team = "A team"\n', "")),
    "C105": Bad(card("schema = 1", 'schema = 1\nlanguage = ["en"]')),
    "C106": Bad(card('"A team"', "7")),
    "C107": Bad(card('"own"', '"all"')),
    "C109": Bad(card('"A system"', '"Your system"')),
    "C108": Bad(card("schema = 1", 'schema = 1\nsource = "p. 3"')),
}  # fmt: skip
