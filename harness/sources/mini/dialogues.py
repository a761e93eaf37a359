"""Dialogues of IVCR-Mini: plans of turns, filled with targets, queries and words."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import harness.sources.mini.query_sampling as query_sampling
from harness.sources.mini.chinese import CHINESE
from harness.sources.mini.english import ENGLISH
from harness.sources.mini.oracles import Oracles
from harness.sources.mini.phrasing import ask, ask_moment, small_talk
from harness.sources.mini.queries import Background, VideoQuery, notation
from harness.sources.mini.schedule import CHINESE_SHARE, PLANS, schedule
from harness.sources.mini.world import Script

PHRASINGS = {"en": ENGLISH, "zh": CHINESE}
TWIN_TARGETS = 0.46  # share of fresh targets that have a twin: their turns are pixel turns
ABSTRACT = 0.35  # share of plain descriptions that start from a quality, where the video has one


@dataclass(frozen=True)
class DraftTurn:
    """A turn without its candidates and its reference answer.

    `meaning`: in the notation of queries.py; a leading "... + " adds it to the turns before.
    `event`: the moment's (start, end) in hundredths. `keeps_candidates`: the candidates are those
    of the turn before; else the first stage finds them, in a moment turn after the gold video.
    """

    task: str
    script: Script
    utterance: str
    language: str
    meaning: str
    event: tuple[int, int] | None = None
    tags: tuple[str, ...] = ()
    keeps_candidates: bool = False
    answer: str | None = None


@dataclass(frozen=True)
class Dialogue:
    """Turns in order and the type code."""

    kind: int
    turns: tuple[DraftTurn, ...]


@dataclass
class _State:
    """The state of a dialogue: the current video, what the turns say of it, the moments used."""

    rng: random.Random
    language: str
    script: Script | None = None
    context: VideoQuery = ()
    used_starts: set[int] = field(default_factory=set)

    def switch_to(self, script: Script) -> None:
        self.script, self.context, self.used_starts = script, (), set()

    @property
    def current(self) -> Script:
        if self.script is None:
            raise ValueError("a plan refers to a video before it has one: see schedule.PLANS")
        return self.script


class DialogueMaker:
    """Makes the dialogues of one split; the least used videos become targets first."""

    def __init__(self, corpus: Sequence[Script]) -> None:
        self._oracles = Oracles(corpus)
        self._videos = {script.video_id: script for script in corpus}
        self._uses = dict.fromkeys(self._videos, 0)

    def dialogue(self, kind: int, language: str, rng: random.Random) -> Dialogue:
        """One dialogue of a type; the turns of a concatenation each have their own language."""
        state, turns = _State(rng, language), []
        for step in rng.choice(PLANS[kind]):
            if kind == 7:
                state = _State(rng, "zh" if rng.randrange(100) < CHINESE_SHARE else "en")
            turns.append(self._turn(step, state))
        return Dialogue(kind, tuple(turns))

    def _turn(self, step: str, state: _State) -> DraftTurn:
        if step == "C":
            return self._chat(state)
        if step == "M":
            return self._moment(state)
        if step == "O":
            return self._opening(state)
        return self._video(step, state)

    def _video(self, step: str, state: _State) -> DraftTurn:
        if step == "A":
            return self._analogous(state)
        if step in "VF" or state.script is None:
            state.switch_to(self._pick(state.rng))
        purpose = {"W": "whole", "R": "refine"}.get(step, "find")
        if step == "F" and state.rng.random() < (0.35 if state.current.twin else 0.5):
            vague = query_sampling.vague_query(state.rng, self._oracles, state.current)
            return self._video_turn(state, purpose, vague)
        if state.current.twin:
            return self._pixel(state, purpose)
        return self._video_turn(state, purpose, self._plain(state, detail=step == "R"))

    def _pixel(self, state: _State, purpose: str) -> DraftTurn:
        query = query_sampling.pixel_query(state.rng, self._oracles, state.current, state.context)
        return self._video_turn(state, purpose, query, ("pixel", str(state.current.difference)))

    def _plain(self, state: _State, detail: bool = False) -> VideoQuery:
        rng, script = state.rng, state.current
        if detail:
            return query_sampling.detail_query(rng, self._oracles, script, state.context)
        if query_sampling.abstract_conditions(script) and rng.random() < ABSTRACT:
            return query_sampling.abstract_query(rng, self._oracles, script)
        return query_sampling.plain_query(rng, self._oracles, script)

    def _analogous(self, state: _State) -> DraftTurn:
        before = state.current
        twin = self._videos.get(before.twin or "")
        script = twin if twin and state.rng.random() < 0.4 else self._pick(state.rng, before)
        self._uses[script.video_id] += script is twin
        state.switch_to(script)
        if script.twin:
            return self._pixel(state, "similar")
        if script.background != before.background:
            return self._video_turn(state, "similar", self._plain(state))
        shared: VideoQuery = (Background(script.background),)
        query = query_sampling.plain_query(state.rng, self._oracles, script, context=shared)
        rest = tuple(part for part in query if not isinstance(part, Background))
        return self._video_turn(state, "same", rest, resolved=shared)

    def _video_turn(
        self,
        state: _State,
        purpose: str,
        query: VideoQuery,
        tags: tuple[str, ...] = (),
        resolved: VideoQuery = (),
    ) -> DraftTurn:
        """The turn for a query; `resolved`: conditions that the words only refer to."""
        state.context += query + resolved
        alone = len(self._oracles.script(query))
        matching = len(self._oracles.script(state.context))
        adds = "... + " if purpose == "refine" else ""
        marks = ("open",) if matching > 1 else ("context",) if alone > 1 else ()
        utterance = ask(state.rng, purpose, query, PHRASINGS[state.language])
        quality = (
            ("abstract",)
            if query and query[0] in query_sampling.abstract_conditions(state.current)
            else ()
        )
        return DraftTurn(
            task="video",
            script=state.current,
            utterance=utterance,
            language=state.language,
            meaning=adds + notation(resolved + query),
            tags=tags + quality + marks,
        )

    def _moment(self, state: _State) -> DraftTurn:
        query, event = query_sampling.moment_query(
            state.rng, state.current, frozenset(state.used_starts)
        )
        state.used_starts.add(event.start)
        return DraftTurn(
            task="moment",
            script=state.current,
            utterance=ask_moment(state.rng, query, PHRASINGS[state.language]),
            language=state.language,
            meaning=notation(query),
            event=(event.start, event.end),
            tags=() if query.pick == "at" else ("relation",),
            keeps_candidates=True,
        )

    def _opening(self, state: _State) -> DraftTurn:
        script = self._pick(state.rng)
        state.switch_to(script)
        choose = query_sampling.pixel_query if script.twin else query_sampling.plain_query
        video = choose(state.rng, self._oracles, script)
        query, event = query_sampling.moment_query(state.rng, script)
        state.used_starts.add(event.start)
        return DraftTurn(
            task="moment",
            script=script,
            utterance=ask_moment(state.rng, query, PHRASINGS[state.language], video),
            language=state.language,
            meaning=f"{notation(video)} > {notation(query)}",
            event=(event.start, event.end),
            tags=() if query.pick == "at" else ("relation",),
        )

    def _chat(self, state: _State) -> DraftTurn:
        script = state.rng.choice([each for each in self._videos.values() if not each.twin])
        query = query_sampling.plain_query(state.rng, self._oracles, script)
        utterance, answer = small_talk(state.rng, script, query, PHRASINGS[state.language])
        return DraftTurn("chat", script, utterance, state.language, "chat", answer=answer)

    def _pick(self, rng: random.Random, like: Script | None = None) -> Script:
        """The next target: with a twin or without, of the least used; the most like `like`."""
        twins = rng.random() < TWIN_TARGETS
        pool = [script for script in self._videos.values() if bool(script.twin) == twins]
        rng.shuffle(pool)
        pool.sort(key=lambda script: self._uses[script.video_id])
        if like is not None:
            bag = like.bag()
            others = [each for each in pool if each.video_id not in (like.video_id, like.twin)][:8]
            pool = sorted(others, key=lambda each: -(each.bag() & bag).total())
        self._uses[pool[0].video_id] += 1
        return pool[0]


def make_dialogues(corpus: Sequence[Script], split: str, seed: int) -> Iterator[Dialogue]:
    """All dialogues of a split, for the videos of its corpus, in the order of `schedule`."""
    maker = DialogueMaker(corpus)
    for index, (kind, language) in enumerate(schedule(split, seed, len(corpus))):
        rng = random.Random(f"ivcr-mini:{seed}:{split}:{index}")
        yield maker.dialogue(kind, language, rng)
