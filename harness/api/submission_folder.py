"""Submissions: writing one, validating one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.api.benchmark_folder import BenchmarkPlace, benchmark_in, inner
from harness.api.declared_card import made_card, missing
from harness.api.kinds import PathText
from harness.errors import SubmissionError
from harness.records import (
    CandidateUse,
    History,
    Prediction,
    TurnKey,
    found_value,
    plain_text,
    whole_number,
)

if TYPE_CHECKING:
    from harness.api.kinds import Answerable
    from harness.validation import Report


def write(
    out: PathText,
    answers: Mapping[tuple[str, int], Answerable] | Iterable[Mapping[str, Any]],
    benchmark: BenchmarkPlace,
    *,
    team: str,
    system: str,
    history: History,
    candidates: CandidateUse = "unused",
    split: str = "test",
    card: Mapping[str, Any] | None = None,
) -> Path:
    """Write a submission; returns its folder. Times are seconds.

    answers: one for each turn of the split, in any order: a mapping from (dialogue_id, turn) to an
    answer, or the lines of a predictions file as mappings: `dialogue_id`, `turn`, and `videos`,
    `moments`, `choice`, `response`. history, candidates: what the system was shown, as declared.
    card: further fields of card.toml, by name. A submission that `out` holds is replaced, and
    stays as it is if anything is wrong. Raises SubmissionError if an answer is wrong, or a turn has
    none or two; WrongUsageError if the card is wrong; EnvironmentFailure if `out` cannot be
    written.
    """
    from harness.submission import write as write_submission

    made = made_card(card, team=team, system=system, history=history, candidates=candidates)
    predictions = _predictions(answers, benchmark, split)
    write_submission(Path(out), made, predictions)
    return Path(out)


def validate(submission: PathText, benchmark: BenchmarkPlace, split: str = "test") -> Report:
    """The report on a submission: `valid`, counts, and every problem with what to change.

    Raises EnvironmentFailure if the submission or the benchmark cannot be read.
    """
    from harness.validation import check

    return check(Path(submission), inner(benchmark), split, keep=False).report


def _predictions(
    answers: Mapping[tuple[str, int], Answerable] | Iterable[Mapping[str, Any]],
    benchmark: BenchmarkPlace,
    split: str,
) -> list[Prediction]:
    """The predictions that answers say, in the order of the split's turns."""
    from baselines.running.views import history_view

    folder = benchmark_in(benchmark)
    reader, public = folder.answer_reader(split), inner(folder).split(split)
    shown = history_view(inner(folder), public, "none", "unused")
    queries = {turn.key: shown.query(turn, ()) for turn in public.turns}
    found: dict[TurnKey, Prediction] = {}
    for key, answer in _pairs(answers):
        place = reader.place(*key)
        if key not in queries:
            raise SubmissionError(
                f"{place}: expected a turn of the split, found none of that name; take "
                "dialogue_id and turn of its turns (they count from 1)"
            )
        if key in found:
            raise SubmissionError(f"{place}: expected one answer, found two; keep one of them")
        found[key] = reader.read(answer, queries[key])
    if absent := [key for key in queries if key not in found]:
        raise missing(absent, len(queries), split, "answer it; an empty list abstains")
    return [found[key] for key in queries]


def _pairs(answers: Any) -> Iterable[tuple[TurnKey, Any]]:
    """The names of turns with their answers."""
    if isinstance(answers, Mapping):
        for key, answer in answers.items():
            if not isinstance(key, tuple) or len(key) != 2:
                raise _no_answers("a name (dialogue_id, turn)", key)
            yield _key(*key), answer
        return
    if isinstance(answers, str) or not isinstance(answers, Iterable):
        raise _no_answers("a mapping or lines", answers)
    for line in answers:
        if not isinstance(line, Mapping) or not {"dialogue_id", "turn"} <= set(line):
            raise _no_answers("a line with dialogue_id and turn", line)
        values = {name: part for name, part in line.items() if name not in ("dialogue_id", "turn")}
        yield _key(line["dialogue_id"], line["turn"]), values


def _key(dialogue_id: object, turn: object) -> TurnKey:
    try:
        return TurnKey(
            plain_text(dialogue_id, "dialogue_id"),
            whole_number(turn, "turn: expected a whole number"),
        )
    except TypeError as error:
        raise SubmissionError(f"answers: {error}; name a turn as (dialogue_id, turn)") from error


def _no_answers(expected: str, found: object) -> SubmissionError:
    return SubmissionError(
        f"answers: expected {expected}, found {found_value(found)}; give a mapping from "
        "(dialogue_id, turn) to answers, or mappings with dialogue_id, turn and the answer's fields"
    )
