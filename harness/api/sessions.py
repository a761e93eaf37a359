"""Dialogues answered turn by turn: a turn appears only after the answer to the one before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from baselines.base import Answer, Exchange, Query
from harness.api.declared_card import made_card, missing
from harness.api.kinds import PathText
from harness.benchmark import Benchmark
from harness.errors import WrongUsageError
from harness.records import CandidateUse, History, Prediction, Turn, found_value

if TYPE_CHECKING:
    from harness.api.answers import AnswerReader
    from harness.api.kinds import Answerable


class TurnSession(Query, frozen=True, kw_only=True, eq=False):
    """One turn, to be answered once: what the declared history shows of it, and `answer`.

    Its fields are those of Query: dialogue_id, turn (its number, from 1), language, task,
    utterance, candidates, video_id, history.
    """

    dialogue: DialogueSession

    def __repr__(self) -> str:
        return f"<{self.task} turn {self.dialogue_id}/{self.turn}: {self.utterance!r}>"

    def answer(
        self,
        answer: Answerable | None = None,
        /,
        *,
        videos: Any = None,
        moments: Any = None,
        choice: Any = None,
        response: str | None = None,
    ) -> None:
        """Answer the turn: with what its task asks for, or by fields. Times are seconds.

        videos, choice: ids in a list, best first; moments: (video_id, start, end) in a list, best
        first; response: a text. An empty list, or "", abstains. Raises SubmissionError at an answer
        that is wrong (the turn then waits for another), WrongUsageError if it is answered already.
        """
        fields = {"videos": videos, "moments": moments, "choice": choice, "response": response}
        given = {name: value for name, value in fields.items() if value is not None}
        if answer is not None and given:
            raise WrongUsageError(
                f"{self.dialogue.place(self)}: expected one answer, found one beside the fields "
                f"{', '.join(given)}; give either"
            )
        self.dialogue.record(self, given or answer)

    def abstain(self) -> None:
        """Answer with nothing: valid, counted, wrong. Raises WrongUsageError as `answer` does."""
        self.dialogue.record(self, None, abstains=True)


class DialogueSession:
    """One dialogue. Iterating gives its turns, each after the answer to the one before.

    A loop that was left goes on where it stopped. How many turns are to come is not told.
    """

    def __init__(self, dialogues: Dialogues, turns: tuple[Turn, ...]) -> None:
        """`turns`: those of the dialogue, in order."""
        self._dialogues = dialogues
        self._turns = turns
        self._exchanges: tuple[Exchange, ...] = ()
        self._predictions: list[Prediction] = []

    def __repr__(self) -> str:
        return f"<dialogue {self.dialogue_id}, {len(self._predictions)} turns answered>"

    def __iter__(self) -> Iterator[TurnSession]:
        while (turn := self.turn) is not None:
            yield turn
            if self._waits_for(turn):
                raise WrongUsageError(
                    f"{self.place(turn)}: expected an answer before the next turn, found none; "
                    "call turn.answer(...), or turn.abstain()"
                )

    @property
    def dialogue_id(self) -> str:
        """Its id."""
        return self._turns[0].dialogue_id

    @property
    def turn(self) -> TurnSession | None:
        """The turn that waits for an answer; None once all are answered."""
        if len(self._predictions) == len(self._turns):
            return None
        turn = self._turns[len(self._predictions)]
        query = self._dialogues.query(turn, self._exchanges)
        fields = {name: getattr(query, name) for name in Query.__struct_fields__}
        return TurnSession(**fields, dialogue=self)

    @property
    def predictions(self) -> tuple[Prediction, ...]:
        """The answers so far, as the packages below the API hold them (milliseconds)."""
        return tuple(self._predictions)

    @property
    def unanswered(self) -> tuple[Turn, ...]:
        """The turns without an answer, which `Dialogues.write` names."""
        return self._turns[len(self._predictions) :]

    def place(self, turn: Query) -> str:
        """A turn as messages name it."""
        return self._dialogues.place(turn)

    def record(self, turn: TurnSession, answer: object, *, abstains: bool = False) -> None:
        """Take the answer to the turn that waits.

        Raises WrongUsageError if `turn` is answered already, SubmissionError if it is answered
        wrongly.
        """
        if not self._waits_for(turn):
            raise WrongUsageError(
                f"{self.place(turn)}: expected one answer, found a second; the first one counts, "
                "since later turns may have seen it; call dialogues() again to answer anew"
            )
        of = self._turns[len(self._predictions)]
        prediction = self._dialogues.prediction(turn, of, answer, abstains=abstains)
        self._predictions.append(prediction)
        self._exchanges += self._dialogues.exchange(of, prediction)

    def _waits_for(self, turn: Query) -> bool:
        return turn.turn == len(self._predictions) + 1


class Dialogues:
    """The dialogues of a split under a declared history, and the answers so far.

    Iterating gives each DialogueSession, in the order of the file; dialogues are independent, and
    may be answered side by side.
    """

    def __init__(
        self,
        benchmark: Benchmark,
        reader: AnswerReader,
        split: str,
        history: History,
        candidates: CandidateUse,
    ) -> None:
        """Made by `BenchmarkFolder.dialogues`, which says what it raises."""
        from baselines.running.views import history_view

        _require("history", history, get_args(History))
        _require("candidates", candidates, get_args(CandidateUse))
        self.split, self.history, self.candidates = split, history, candidates
        public = benchmark.split(split)
        self._view = history_view(benchmark, public, history, candidates)
        self._reader = reader
        self._sessions = {
            name: DialogueSession(self, turns) for name, turns in public.dialogues().items()
        }

    def __iter__(self) -> Iterator[DialogueSession]:
        return iter(self._sessions.values())

    def __len__(self) -> int:
        return len(self._sessions)

    def __getitem__(self, dialogue_id: str) -> DialogueSession:
        return self._sessions[dialogue_id]

    def write(
        self, out: PathText, *, team: str, system: str, card: Mapping[str, Any] | None = None
    ) -> Path:
        """Write the answers as a submission; returns its folder.

        History and candidates are those of these dialogues. card: further fields of card.toml.
        Raises SubmissionError if a turn has no answer, WrongUsageError if the card is wrong,
        EnvironmentFailure if `out` cannot be written.
        """
        from harness.submission import write as write_submission

        made = made_card(
            card, team=team, system=system, history=self.history, candidates=self.candidates
        )
        waiting = [turn.key for session in self for turn in session.unanswered]
        predictions = [each for session in self for each in session.predictions]
        if waiting:
            step = "answer every turn of every dialogue; turn.abstain() gives nothing"
            raise missing(waiting, len(waiting) + len(predictions), self.split, step)
        write_submission(Path(out), made, predictions)
        return Path(out)

    def place(self, turn: Query) -> str:
        """A turn as messages name it."""
        return self._reader.place(turn.dialogue_id, turn.turn)

    def query(self, turn: Turn, exchanges: tuple[Exchange, ...]) -> Query:
        """What the declared history shows of a turn."""
        return self._view.query(turn, exchanges)

    def exchange(self, turn: Turn, prediction: Prediction) -> tuple[Exchange, ...]:
        """What the declared history shows of an answered turn, later."""
        return self._view.exchange(turn, prediction)

    def prediction(self, query: Query, turn: Turn, answer: object, *, abstains: bool) -> Prediction:
        """The answer to a turn as a prediction. Raises SubmissionError if it is wrong."""
        from baselines.running.runner import prediction_of

        return prediction_of(turn, Answer()) if abstains else self._reader.read(answer, query)


def _require(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise WrongUsageError(
            f"{name}: expected one of {', '.join(allowed)}, found {found_value(value)}; name one"
        )
