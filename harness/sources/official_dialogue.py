"""One dialogue of the official format, parsed into turns; oddities are reported by code."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from harness.benchmark import VideoLine
from harness.records import CANDIDATES, CHAT, SPLITS, Language, Task
from harness.sources.metadata import clean, is_name

VIDEO_TURN = [-1, -1]
# Unified ideographs with extension A, compatibility ideographs, and the supplementary extensions.
IDEOGRAPHS = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF))


class ParsedTurn(NamedTuple):
    """A turn of the file: its public part, then its gold (span in seconds)."""

    utterance: str
    language: Language
    task: Task
    candidates: tuple[str, ...]
    answer: str
    video_id: str | None
    moment: tuple[float, float] | None
    text_id: str | None
    tags: tuple[str, ...]
    foil: str | None


class ParsedDialogue(NamedTuple):
    """A dialogue of the file; `own_id`: None if the file gives none."""

    split: str
    type: int
    own_id: str | None
    turns: tuple[ParsedTurn, ...]


class OddityReporter(NamedTuple):
    """The place of a dialogue, and the function that takes its oddities: (code, place,
    language)."""

    place: str
    add: Callable[[str, str, str], None]

    def __call__(self, code: str, turn: int | None = None, language: str = "") -> None:
        """Report one oddity of the dialogue, or of one of its turns."""
        self.add(code, self.place if turn is None else f"{self.place}/{turn}", language)


def language_of(utterance: str) -> Language:
    """zh if the utterance holds a CJK ideograph, else en."""
    return "zh" if any(map(_is_ideograph, utterance)) else "en"


def _is_ideograph(character: str) -> bool:
    return character >= "㐀" and any(low <= ord(character) <= high for low, high in IDEOGRAPHS)


def parse_dialogue(
    sample: Any, videos: dict[str, VideoLine], odd: OddityReporter
) -> ParsedDialogue | None:
    """The dialogue of one element of the file; None if it is dropped."""
    if not isinstance(sample, dict) or not isinstance(sample.get("conversations"), list):
        odd("no-dialogue")
        return None
    split = sample.get("split")
    if split not in SPLITS:
        odd("unknown-split")
        return None
    code = _type_code(sample.get("type"), odd)
    if code is None:
        odd("no-type")
        return None
    turns: list[ParsedTurn] = []
    for human, answer in _pairs(sample["conversations"], odd):
        turns.append(_turn(human, answer, code, videos, odd, len(turns) + 1))
    if not turns:
        odd("no-turn")
        return None
    return ParsedDialogue(split, code, _own_id(sample, odd), tuple(turns))


def _type_code(value: Any, odd: OddityReporter) -> int | None:
    codes = value if isinstance(value, list) else [value]
    if not codes or type(codes[0]) is not int or abs(codes[0]) >= 2**31:
        return None
    if len(codes) > 1:
        odd("several-types")
    return codes[0]


def _own_id(sample: dict[str, Any], odd: OddityReporter) -> str | None:
    value = sample.get("dialogue_id", sample.get("id"))
    if value is None:
        return None
    name = str(value) if type(value) is int and abs(value) < 2**63 else value
    if is_name(name):
        return str(name)
    odd("bad-id")
    return None


def _pairs(
    entries: list[Any], odd: OddityReporter
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each human entry with the answer directly after it."""
    human: dict[str, Any] | None = None
    for entry in entries:
        sender = entry.get("from") if isinstance(entry, dict) else None
        if sender not in ("human", "gpt") or not isinstance(entry.get("value"), str):
            odd("bad-entry")
        elif sender == "human":
            if human is not None:
                odd("no-answer", language=language_of(human["value"]))
            human = entry
        elif human is None:
            odd("no-question")
        else:
            yield human, entry
            human = None
    if human is not None:
        odd("no-answer", language=language_of(human["value"]))


def _turn(
    human: dict[str, Any],
    answer: dict[str, Any],
    code: int,
    videos: dict[str, VideoLine],
    odd: OddityReporter,
    number: int,
) -> ParsedTurn:
    utterance, reply = clean(human["value"]), clean(answer["value"])
    language = language_of(utterance)

    def report(oddity: str) -> None:
        odd(oddity, number, language)

    if (utterance, reply) != (human["value"], answer["value"]):
        report("bad-characters")
    if not utterance.strip():
        report("empty-utterance")
    task, video_id, moment = _gold(answer, code, videos, report)
    candidates = _candidates(answer, report) if task != "chat" else ()
    if candidates and video_id not in candidates:
        report(f"gold-not-candidate:{task}")
    text_id, tags, foil = human.get("text_id"), answer.get("tags"), answer.get("foil")
    return ParsedTurn(
        utterance,
        language,
        task,
        candidates,
        reply,
        video_id,
        moment,
        None if text_id is None else clean(str(text_id)),
        tuple(filter(is_name, tags)) if isinstance(tags, list) else (),
        foil if task == "video" and is_name(foil) else None,
    )


def _gold(
    answer: dict[str, Any],
    code: int,
    videos: dict[str, VideoLine],
    report: Callable[[str], None],
) -> tuple[Task, str | None, tuple[float, float] | None]:
    """Task, gold video and gold span in seconds of a turn; a turn without usable gold is chat."""
    if code == CHAT or answer.get("gt_se") is None:
        return "chat", None, None
    video_id: Any = answer.get("video_id")
    if not is_name(video_id):
        report("no-gold")
        return "chat", None, None
    if answer["gt_se"] == VIDEO_TURN:
        return "video", video_id, None
    moment = _span(answer["gt_se"], videos.get(video_id), report)
    return ("chat", None, None) if moment is None else ("moment", video_id, moment)


def _span(
    value: Any, video: VideoLine | None, report: Callable[[str], None]
) -> tuple[float, float] | None:
    """Start and end in seconds, rounded to milliseconds, 0 <= start < end; None if unusable."""
    if not isinstance(value, list) or len(value) != 2 or not all(map(_is_time, value)):
        report("bad-span")
        return None
    start, end = (round(time, 3) for time in value)
    if start > end:
        report("reversed-span")
        start, end = end, start
    if start < 0:
        report("negative-span")
        start = 0
    if start >= end:
        report("empty-span")
        return None
    if video is not None and video.duration is not None and end > video.duration:
        report("span-beyond" if start >= video.duration else "span-outside")
    return float(start), float(end)


def _is_time(value: Any) -> bool:
    # 10^7 s are 116 days: a time past them is no time of a video.
    return type(value) in (int, float) and math.isfinite(value) and abs(value) < 1e7


def _candidates(answer: dict[str, Any], report: Callable[[str], None]) -> tuple[str, ...]:
    value = answer.get("candidate_videos")
    if value is None:
        return ()
    entries = value if isinstance(value, list) else [value]
    kept = tuple(dict.fromkeys(entry for entry in entries if is_name(entry)))
    if len(kept) != len(entries):
        report("bad-candidates")
    elif len(kept) != CANDIDATES:
        report("not-ten-candidates")
    return kept
