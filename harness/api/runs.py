"""Running a system of one's own, or a baseline, over a split: a submission is the result."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baselines.base import About, Answer, Baseline, NoSettings, Query, View
from harness.api.benchmark_folder import BenchmarkPlace, VideoInfo, benchmark_in, inner
from harness.api.declared_card import made_card
from harness.api.kinds import PathText
from harness.errors import WrongUsageError, extras
from harness.records import CandidateUse, Card, History, found_value

if TYPE_CHECKING:
    from baselines.registry import RegistryEntry
    from harness.api.answers import AnswerReader
    from harness.api.kinds import Answerable

Progress = Callable[[int, int], None]


class System:
    """A system of one's own, as a class: `prepare` once, then `answer` for every turn."""

    def prepare(self, corpus: Sequence[str], videos: Mapping[str, VideoInfo]) -> None:
        """Index what may be ranked: the split's corpus, and all videos by id (seconds)."""

    def answer(self, query: Query) -> Answerable:
        """The answer to one turn, of which `query` holds what the declared history shows.

        A list of video ids, best first (video turn), a list of (video_id, start, end) in seconds
        (moment turn), a text (chat turn), or a mapping of `videos`, `moments`, `choice` and
        `response`. An empty list, or "", abstains.
        """
        raise NotImplementedError


def run(
    benchmark: BenchmarkPlace,
    answer: Callable[[Query], Answerable] | System | type[System],
    /,
    *,
    out: PathText,
    team: str,
    system: str,
    history: History,
    candidates: CandidateUse = "unused",
    split: str = "test",
    card: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Path:
    """Answer a split with a system of one's own and write the submission; returns its folder.

    answer: a function from a query to an answer, or a System. It is called turn by turn, and sees a
    turn only after it has answered the one before. history: what queries show of earlier turns:
    `none`, its `own` answers, or the `reference` answers. candidates: whether queries hold the
    turns' candidates. card: further fields of card.toml, by name. progress: gets the turns answered
    and all turns. Nothing is written unless every answer is valid. Raises SubmissionError at the
    first answer that is not; OwnCodeError, a WrongUsageError, if the system raises; WrongUsageError
    if the card is wrong or `out` holds something; EnvironmentFailure if the benchmark lacks what is
    needed, or the disk fails.
    """
    from baselines.running.own_code import OwnCodeError
    from baselines.running.parallel import JournalStore
    from baselines.running.run import run_baseline as run_entry
    from baselines.running.run_config import RunConfig
    from harness.replacement import temporary_folder

    made = made_card(card, team=team, system=system, history=history, candidates=candidates)
    folder, own = benchmark_in(benchmark), _system(answer)
    baseline = _SystemBaseline(own, folder.answer_reader(split), folder.videos)
    entry = _entry(made, baseline)
    config = RunConfig(entry, history, split=split, card=_declared(made))
    with temporary_folder() as journals:
        store = JournalStore(Path(out), journals)
        try:
            run_entry(config, inner(folder).checked(), Path(out), store=store,
                      progress=progress or _no_progress)  # fmt: skip
        except OwnCodeError as error:
            raise OwnCodeError(
                f"{error}; {out} was not written: mend the code and run it again"
            ) from error.__cause__
    return Path(out)


def run_baseline(
    benchmark: BenchmarkPlace,
    name: PathText,
    /,
    *,
    out: PathText,
    history: History,
    settings: Mapping[str, Any] | None = None,
    split: str = "test",
    seed: int = 0,
    variant: str | None = None,
    team: str | None = None,
    processes: int = 1,
    cache: PathText | None = None,
    progress: Progress | None = None,
    note: Callable[[str], None] | None = None,
) -> Path:
    """Answer a split with a baseline and write the submission; returns its folder.

    name: as `ivcr baseline list` shows it, or the path of a .py file (docs/extending.md). settings:
    by name, as `ivcr baseline info NAME` shows them. variant: a label beside the system's name.
    team: the card's. processes: how many share the dialogues (the program then needs `if __name__
    == "__main__"`). cache: the folder for features of videos. note: gets lines worth knowing. The
    folder OUT.run keeps the answers until the submission is written; the same call goes on from it.
    Raises WrongUsageError at what the baseline does not take, EnvironmentFailure if the benchmark,
    a library or the disk fails.
    """
    from baselines.base import silent
    from baselines.registry import find
    from baselines.running.run import run_baseline as run_entry
    from baselines.running.run_config import RunConfig, RunContext

    entry = find(str(name))
    config = RunConfig(
        entry,
        history,
        split=split,
        seed=seed,
        settings=dict(settings or {}),
        variant=variant,
        card={} if team is None else {"team": team},
    )
    context = RunContext(None if cache is None else Path(cache), note or silent)
    with extras(str(name)):
        run_entry(
            config,
            inner(benchmark).checked(),
            Path(out),
            processes=processes,
            context=context,
            progress=progress or _no_progress,
        )
    return Path(out)


class _FunctionSystem(System):
    """A function as a system."""

    def __init__(self, function: Callable[[Query], Answerable]) -> None:
        self.function = function

    def answer(self, query: Query) -> Answerable:
        """What the function returns."""
        return self.function(query)


class _SystemBaseline(Baseline):
    """A system as the runner takes it: its answers checked, its errors with their turn."""

    def __init__(
        self, system: System, reader: AnswerReader, videos: Mapping[str, VideoInfo]
    ) -> None:
        super().__init__(NoSettings())
        self.system, self._reader, self._videos = system, reader, videos
        own = system.function if isinstance(system, _FunctionSystem) else system.answer
        self.name, self.place = _name_and_file(own)

    def prepare(self, view: View) -> None:
        """Let the system index what may be ranked."""
        from baselines.running.own_code import own_code

        with own_code([self.place], "prepare()"):
            self.system.prepare(view.corpus, self._videos)

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """The system's answers, one by one."""
        return [self._one(query) for query in queries]

    def _one(self, query: Query) -> Answer:
        from baselines.running.own_code import own_code

        with own_code([self.place], f"{self.name}()", [query]):
            found = self.system.answer(query)
            # What a generator raises belongs to the turn as well.
            value = list(found) if isinstance(found, Iterator) else found
        checked = self._reader.read(value, query)
        return Answer(checked.videos, checked.moments, checked.choice, checked.response)


def _name_and_file(function: Callable[..., Any]) -> tuple[str, Path]:
    """How errors call a function, and the file of its code: `<...>` where it lies in none."""
    found: Any = function.func if isinstance(function, partial) else function
    found = inspect.unwrap(found)
    name = getattr(found, "__name__", type(found).__name__)
    code = getattr(found, "__code__", None) or getattr(type(found).__call__, "__code__", None)
    return name, Path(code.co_filename if code else "<compiled>")


def _system(answer: object) -> System:
    if isinstance(answer, type) and issubclass(answer, System):
        answer = answer()
    if isinstance(answer, System):
        if type(answer).answer is System.answer:
            raise WrongUsageError(
                f"run: expected a System with a method answer(query), found none in "
                f"{type(answer).__name__}; define it"
            )
        return answer
    if not callable(answer) or isinstance(answer, type):
        raise WrongUsageError(
            f"run: expected a function of a query, or a System, found {found_value(answer)}; "
            "let the class be a subclass of System; run_baseline takes names of baselines"
        )
    return _FunctionSystem(answer)


def _entry(card: Card, baseline: _SystemBaseline) -> RegistryEntry:
    """The system as the runner knows baselines."""
    from baselines.registry import RegistryEntry, all_baselines

    if card.system in {each.name for each in all_baselines()}:
        raise WrongUsageError(
            f"system: {found_value(card.system)} is a baseline of the project already; give yours "
            "another name"
        )
    own = baseline.system
    documented = own.function if isinstance(own, _FunctionSystem) else type(own)
    summary = (inspect.getdoc(documented) or "").partition("\n")[0]
    path = baseline.place if baseline.place.is_file() else None
    about = About(candidates=card.candidates)
    return RegistryEntry(card.system, "own", summary, about, path, instance=baseline)


def _declared(card: Card) -> dict[str, Any]:
    """The card's fields that come before what the run says: only what is declared is claimed."""
    left = ("schema", "kind", "system", "history", "candidates")
    unless_given = ("description", "code")
    return {
        name: value
        for name in card.__struct_fields__
        if (value := getattr(card, name)) is not None or name not in unless_given
        if name not in left
    }


def _no_progress(done: int, total: int) -> None:
    """Show nothing."""
