"""What gives hidden gold away where it stands in a text: ids of dialogues, answers, hashes.

An answer counts as far as nothing public says the same: "The query matches video 4." stands in the
labels of train too, and tells nothing by itself.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from harness.benchmark import Benchmark
from harness.records import Gold

CHAT_ANSWER = "chat answer"  # it tells no video, and films are described in its words
SAID_ELSEWHERE = (CHAT_ANSWER, "answer", "text_id")  # kinds that public texts may hold by chance
SHORTEST_ID, SHORTEST_ANSWER, SHORTEST_CHINESE = 6, 8, 4  # characters
_WORD = re.compile(r"[a-z0-9]+")
_CHINESE = re.compile(r"(?=([\u3400-\u9fff]{3}))")
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_SPACES = re.compile(r"\s+")
_HASHES = ("md5", "sha1", "sha256")


class Phrase(NamedTuple):
    """A text that gives gold away, of what kind, and what it is.

    `whole`: it counts where no letter or digit stands right beside it.
    """

    text: str
    kind: str
    what: str
    whole: bool


class Marks:
    """Phrases, found in a text of any length in one pass over its words."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._by_anchor: dict[str, list[tuple[frozenset[str], Phrase]]] = defaultdict(list)
        known = {phrase.text: phrase for phrase in phrases if anchors_of(phrase.text)}
        frequency = Counter(word for text in known for word in anchors_of(text))
        for phrase in known.values():
            # The rarest of its inner words: at its ends another text may touch.
            inner = frozenset(anchors_of(phrase.text))
            anchor = min(inner, key=lambda word: (frequency[word], word))
            self._by_anchor[anchor].append((inner, phrase))
        self.chinese = any(not word.isascii() for word in self._by_anchor)

    def find(self, line: str) -> Iterator[Phrase]:
        """The phrases in one line; `line`: as `folded` gives it."""
        words = set(_WORD.findall(line))
        if self.chinese and not line.isascii():
            words.update(_CHINESE.findall(line))
        for word in sorted(words & self._by_anchor.keys()):
            for inner, phrase in self._by_anchor[word]:
                if inner <= words and stands_in(phrase, line):
                    yield phrase


def stands_in(phrase: Phrase, line: str) -> bool:
    """Whether a phrase stands in a line, both folded."""
    at = line.find(phrase.text)
    while at >= 0:
        beside = line[at - 1 : at] if at else ""
        beside += line[at + len(phrase.text) : at + len(phrase.text) + 1]
        if not phrase.whole or not any(each.isascii() and each.isalnum() for each in beside):
            return True
        at = line.find(phrase.text, at + 1)
    return False


def folded(text: str) -> str:
    """A text without capitals, marks that cannot be seen, and spaces beyond one."""
    plain = _INVISIBLE.sub("", text).replace(chr(92) + chr(34), chr(34))
    return _SPACES.sub(" ", plain.casefold())


def anchors_of(text: str) -> list[str]:
    """Words of a folded phrase that stand in any text that holds the phrase."""
    words = _WORD.findall(text)
    # What ends the phrase may go on in a text around it, unless it is the whole phrase.
    inner = words[1:-1] or (words if len(words) == 1 and words[0] == text else [])
    return inner or _CHINESE.findall(text) or words


def gold_marks(full: Benchmark, hidden: Iterable[str]) -> Marks:
    """What gives the gold of the splits `hidden` away, wherever it stands.

    Raises EnvironmentFailure if the benchmark lacks gold of one.
    """
    hidden = tuple(hidden)
    phrases = [each for split in hidden for each in _of_split(full, split) if is_telling(each)]
    texts = Marks(each for each in phrases if each.kind in SAID_ELSEWHERE)
    elsewhere = {each.text for line in _public_texts(full, hidden) for each in texts.find(line)}
    return Marks(each for each in phrases if each.text not in elsewhere)


def is_telling(phrase: Phrase) -> bool:
    """Whether a phrase is long enough to stand somewhere for one reason alone."""
    if phrase.whole:
        return len(phrase.text) >= SHORTEST_ID
    least = SHORTEST_ANSWER if phrase.text.isascii() else SHORTEST_CHINESE
    return len(phrase.text) >= least


def _of_split(full: Benchmark, split: str) -> Iterator[Phrase]:
    for gold in full.gold(split):
        turn = f"{gold.dialogue_id}/{gold.turn}"
        yield Phrase(
            folded(gold.dialogue_id),
            "dialogue",
            f"the {split} dialogue {gold.dialogue_id}",
            True,
        )
        kind = CHAT_ANSWER if gold.video_id is None else "answer"
        yield Phrase(folded(gold.answer), kind, f"the {kind} of turn {turn}", False)
        if gold.text_id is not None:
            yield Phrase(folded(gold.text_id), "text_id", f"the text_id of turn {turn}", True)
    yield from _hashes(full, split)


def _hashes(full: Benchmark, split: str) -> Iterator[Phrase]:
    """Digests of files and lines of gold: with one a guess can be checked."""
    folder = full.split_folder(split)
    for path in (folder / "gold.jsonl", folder / "reference.jsonl", *_sources(full)):
        if not path.is_file():
            continue
        data = path.read_bytes()
        for digest in _digests(data):
            yield Phrase(
                digest, "hash", f"a hash of {path.relative_to(full.folder).as_posix()}", True
            )
        for number, line in enumerate(data.splitlines() if path.parent == folder else (), start=1):
            for digest in (*_digests(line), *_digests(line + b"\n")):
                yield Phrase(
                    digest,
                    "hash of a line",
                    f"a hash of line {number} of {split}/{path.name}",
                    True,
                )


def _sources(full: Benchmark) -> Iterator[Path]:
    return (path for path in sorted((full.folder / "source").glob("*")) if path.is_file())


def _digests(data: bytes) -> Iterator[str]:
    return (hashlib.new(name, data, usedforsecurity=False).hexdigest() for name in _HASHES)


def _public_texts(full: Benchmark, hidden: tuple[str, ...]) -> Iterator[str]:
    """What utterances say, and the labels of the splits whose labels everybody has."""
    for name in full.header.splits:
        yield from (folded(turn.utterance) for turn in full.split(name).turns)
        if name not in hidden and full.has_gold(name):
            for gold in full.gold(name):
                yield folded(f"{gold.answer}\n{gold.text_id}")


def own_phrases(gold: Iterable[Gold]) -> Iterator[Phrase]:
    """What would give a dialogue's gold away in its own utterances: videos, text ids, answers."""
    for each in gold:
        if each.video_id is None:
            continue
        yield Phrase(folded(each.video_id), "video", "the gold video", True)
        yield Phrase(
            folded(each.video_id.rpartition("/")[2]), "video", "the gold video's file", True
        )
        if (stem := _stem(each.video_id)) is not None:
            yield Phrase(stem, "video", "the gold video's name", True)
        yield Phrase(folded(each.answer), "answer", "the answer", False)
        if each.text_id is not None:
            yield Phrase(folded(each.text_id), "text_id", "the text_id", True)


def _stem(video_id: str) -> str | None:
    """The file's name without its ending, where it is no word: letters and digits."""
    stem = folded(video_id.rpartition("/")[2].partition(".")[0])
    is_code = any(map(str.isdigit, stem)) and any(map(str.isalpha, stem))
    return stem if is_code and len(stem) >= 5 else None


def by_dialogue(gold: Iterable[Gold]) -> Mapping[str, list[Gold]]:
    """Gold by dialogue."""
    found: dict[str, list[Gold]] = defaultdict(list)
    for each in gold:
        found[each.dialogue_id].append(each)
    return found
