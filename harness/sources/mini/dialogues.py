"""Dialogues: the maker that fills plans of turns with targets, queries and words."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from harness.sources.mini import query_sampling, small_talk
from harness.sources.mini.chinese import CHINESE
from harness.sources.mini.english import ENGLISH
from harness.sources.mini.oracles import Oracles
from harness.sources.mini.phrasing import ask, ask_moment
from harness.sources.mini.queries import Background, VideoQuery, notation
from harness.sources.mini.schedule import CHINESE_SHARE, PLANS, schedule
from harness.sources.mini.world import Script

PHRASINGS = {"en": ENGLISH, "zh": CHINESE}
TWIN_TARGETS = 0.46  # share of fresh targets that have a twin: their turns are pixel turns
ABSTRACT = 0.35  # share of plain descriptions that start from a quality, where the video has one


@dataclass(frozen=True)
class Turn:
    """One turn before candidates and reference answer are known.

    `meaning` is the notation of queries.py; with a leading "... + " it adds to the turns before.
    `event` is the moment's (start, end) in hundredths. `keeps` says that the candidates are those
    of the turn before; else they are searched for, in a moment turn behind the gold video.
    """

    task: str
    script: Script
    utterance: str
    language: str
    meaning: str
    event: tuple[int, int] | None = None
    tags: tuple[str, ...] = ()
    keeps: bool = False
    answer: str | None = None


@dataclass(frozen=True)
class Dialogue:
    """Turns in order and the type code."""

    kind: int
    turns: tuple[Turn, ...]


@dataclass
class _State:
    """What one dialogue has said so far: the video at hand, its meaning, the moments asked."""

    rng: random.Random
    language: str
    script: Script | None = None
    said: VideoQuery = ()
    asked: set[int] = field(default_factory=set)

    def turn_to(self, script: Script) -> None:
        self.script, self.said, self.asked = script, (), set()

    @property
    def current(self) -> Script:
        if self.script is None:
            raise ValueError("a plan refers to a video before it has one")
        return self.script


class Maker:
    """Makes the dialogues of one split; every video of it becomes a target in turn."""

    def __init__(self, scripts: Sequence[Script]) -> None:
        self._oracles = Oracles(scripts)
        self._scripts = {script.video_id: script for script in scripts}
        self._uses = dict.fromkeys(self._scripts, 0)

    def dialogue(self, kind: int, language: str, rng: random.Random) -> Dialogue:
        """One dialogue of a type; the turns of a concatenation each have their own language."""
        state, turns = _State(rng, language), []
        for step in rng.choice(PLANS[kind]):
            if kind == 7:
                state = _State(rng, "zh" if rng.randrange(100) < CHINESE_SHARE else "en")
            turns.append(self._turn(step, state))
        return Dialogue(kind, tuple(turns))

    def _turn(self, step: str, state: _State) -> Turn:
        if step == "C":
            return self._chat(state)
        if step == "M":
            return self._moment(state)
        if step == "O":
            return self._opening(state)
        return self._video(step, state)

    def _video(self, step: str, state: _State) -> Turn:
        if step == "A":
            return self._analogous(state)
        if step in "VF" or state.script is None:
            state.turn_to(self._pick(state.rng))
        purpose = {"W": "whole", "R": "refine"}.get(step, "find")
        if step == "F" and state.rng.random() < (0.35 if state.current.twin else 0.5):
            vague = query_sampling.vague_query(state.rng, self._oracles, state.current)
            return self._asked(state, purpose, vague)
        if state.current.twin:
            return self._pixel(state, purpose)
        return self._asked(state, purpose, self._plain(state, detail=step == "R"))

    def _pixel(self, state: _State, purpose: str) -> Turn:
        query = query_sampling.pixel_query(state.rng, self._oracles, state.current, state.said)
        return self._asked(state, purpose, query, ("pixel", str(state.current.difference)))

    def _plain(self, state: _State, detail: bool = False) -> VideoQuery:
        rng, script = state.rng, state.current
        if detail:
            return query_sampling.detail_query(rng, self._oracles, script, state.said)
        if query_sampling.abstract_conditions(script) and rng.random() < ABSTRACT:
            return query_sampling.abstract_query(rng, self._oracles, script)
        return query_sampling.plain_query(rng, self._oracles, script)

    def _analogous(self, state: _State) -> Turn:
        before = state.current
        twin = self._scripts.get(before.twin or "")
        script = twin if twin and state.rng.random() < 0.4 else self._pick(state.rng, before)
        self._uses[script.video_id] += script is twin
        state.turn_to(script)
        if script.twin:
            return self._pixel(state, "similar")
        if script.background != before.background:
            return self._asked(state, "similar", self._plain(state))
        shared: VideoQuery = (Background(script.background),)
        query = query_sampling.plain_query(state.rng, self._oracles, script, given=shared)
        rest = tuple(part for part in query if not isinstance(part, Background))
        return self._asked(state, "same", rest, resolved=shared)

    def _asked(
        self,
        state: _State,
        purpose: str,
        query: VideoQuery,
        tags: tuple[str, ...] = (),
        resolved: VideoQuery = (),
    ) -> Turn:
        """The turn that puts a query into words; `resolved` is meant, but said by reference."""
        state.said += query + resolved
        alone = len(self._oracles.script(query))
        together = len(self._oracles.script(state.said))
        adds = "... + " if purpose == "refine" else ""
        marks = ("open",) if together > 1 else ("context",) if alone > 1 else ()
        utterance = ask(state.rng, purpose, query, PHRASINGS[state.language])
        quality = (
            ("abstract",)
            if query and query[0] in query_sampling.abstract_conditions(state.current)
            else ()
        )
        return Turn(
            task="video",
            script=state.current,
            utterance=utterance,
            language=state.language,
            meaning=adds + notation(resolved + query),
            tags=tags + quality + marks,
        )

    def _moment(self, state: _State) -> Turn:
        query, event = query_sampling.moment_query(state.rng, state.current, frozenset(state.asked))
        state.asked.add(event.start)
        return Turn(
            task="moment",
            script=state.current,
            utterance=ask_moment(state.rng, query, PHRASINGS[state.language]),
            language=state.language,
            meaning=notation(query),
            event=(event.start, event.end),
            tags=() if query.pick == "at" else ("relation",),
            keeps=True,
        )

    def _opening(self, state: _State) -> Turn:
        script = self._pick(state.rng)
        state.turn_to(script)
        choose = query_sampling.pixel_query if script.twin else query_sampling.plain_query
        video = choose(state.rng, self._oracles, script)
        query, event = query_sampling.moment_query(state.rng, script)
        state.asked.add(event.start)
        return Turn(
            task="moment",
            script=script,
            utterance=ask_moment(state.rng, query, PHRASINGS[state.language], video),
            language=state.language,
            meaning=f"{notation(video)} > {notation(query)}",
            event=(event.start, event.end),
            tags=() if query.pick == "at" else ("relation",),
        )

    def _chat(self, state: _State) -> Turn:
        script = state.rng.choice([each for each in self._scripts.values() if not each.twin])
        query = query_sampling.plain_query(state.rng, self._oracles, script)
        said, answer = small_talk.exchange(state.rng, script, query, PHRASINGS[state.language])
        return Turn("chat", script, said, state.language, "chat", answer=answer)

    def _pick(self, rng: random.Random, like: Script | None = None) -> Script:
        """The next target: with a twin or without, of the least used; the most like `like`."""
        twins = rng.random() < TWIN_TARGETS
        pool = [script for script in self._scripts.values() if bool(script.twin) == twins]
        rng.shuffle(pool)
        pool.sort(key=lambda script: self._uses[script.video_id])
        if like is not None:
            bag = like.bag()
            others = [each for each in pool if each.video_id not in (like.video_id, like.twin)][:8]
            pool = sorted(others, key=lambda each: -(each.bag() & bag).total())
        self._uses[pool[0].video_id] += 1
        return pool[0]


def make_dialogues(scripts: Sequence[Script], split: str, seed: int) -> Iterator[Dialogue]:
    """All dialogues of a split, given its scripts, in the order of `schedule`."""
    maker = Maker(scripts)
    for index, (kind, language) in enumerate(schedule(split, seed)):
        rng = random.Random(f"ivcr-mini:{seed}:{split}:{index}")
        yield maker.dialogue(kind, language, rng)
