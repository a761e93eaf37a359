"""Whether a turn's own utterance says its gold, or a video's own text the moments sought in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

from harness.benchmark import Benchmark, Split
from harness.files import shown
from harness.public_copy.findings import GoldFinding
from harness.public_copy.marks import (
    Phrase,
    by_dialogue,
    folded,
    is_telling,
    own_phrases,
    stands_in,
)
from harness.public_copy.spans import GoldSpans
from harness.records import Gold


def own_utterances(name: str, split: Split, gold: Sequence[Gold]) -> Iterator[GoldFinding]:
    """Utterances and ids of a dialogue that say its gold; `name`: the file of the turns."""
    golds = by_dialogue(gold)
    number = 0
    for dialogue_id, turns in split.dialogues().items():
        own = golds.get(dialogue_id, [])
        phrases, spans = list(filter(is_telling, own_phrases(own))), GoldSpans(own)
        for turn in turns:
            number += 1
            text = folded(f"{turn.utterance}\n{dialogue_id}")
            for phrase in _first_of_each_kind(phrases, text):
                yield GoldFinding(name, number, f"says {phrase.what}")
            if spans.find(folded(turn.utterance)):
                yield GoldFinding(name, number, "says the span of a gold moment of its dialogue")
        if len({turn.type for turn in turns}) > 1:
            yield GoldFinding(
                name, number, f"dialogue {shown(dialogue_id)} has more types than one"
            )


def _first_of_each_kind(phrases: Sequence[Phrase], text: str) -> Iterator[Phrase]:
    found = {phrase.kind: phrase for phrase in reversed(phrases) if stands_in(phrase, text)}
    return iter(found.values())


def own_videos(name: str, benchmark: Benchmark, gold: Sequence[Gold]) -> Iterator[GoldFinding]:
    """Texts of videos that say a span sought in them; `name`: the file of the videos."""
    golds: dict[str, list[Gold]] = defaultdict(list)
    for each in gold:
        if each.moment is not None and each.video_id is not None:
            golds[each.video_id].append(each)
    for number, video in enumerate(benchmark.videos.values(), start=1):
        text = " ".join(chain.from_iterable(video.text.items()))
        if video.video_id in golds and GoldSpans(golds[video.video_id]).find(folded(text)):
            yield GoldFinding(name, number, "says the span of a gold moment in this video")
