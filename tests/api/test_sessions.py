"""Dialogues by hand: nothing of a turn is shown before the answer to the one before it."""

import pytest

import harness as ivcr
from harness.validation import check
from tests.api.conftest import valid
from tests.baselines.conftest import CAT, DOG, FOX


def answered(dialogues, answer=valid):
    for dialogue in dialogues:
        for turn in dialogue:
            turn.answer(answer(turn))
    return dialogues


def test_own_history_holds_ones_own_answers_and_no_gold(benchmark):
    first = next(iter(benchmark.dialogues(history="own")))
    turns = iter(first)
    one = next(turns)
    assert (one.task, one.history, one.candidates, one.video_id) == ("video", (), (), None)
    one.answer([FOX, DOG])
    two = next(turns)
    assert [(each.utterance, each.video_id) for each in two.history] == [(one.utterance, FOX)]
    assert two.video_id is None
    two.answer(moments=[(DOG, 0, 1)], response="there")
    three = next(turns)
    assert [(each.answer, each.video_id) for each in three.history] == [("", FOX), ("there", DOG)]


def test_none_shows_nothing_and_candidates_only_where_declared(benchmark):
    for turn in (turn for each in benchmark.dialogues(history="none") for turn in each):
        assert (turn.history, turn.candidates) == ((), ())
        turn.abstain()
    dialogues = benchmark.dialogues(history="own", candidates="used")
    assert next(iter(next(iter(dialogues)))).candidates == (DOG, CAT)


def test_reference_history_gives_the_gold_of_earlier_turns_and_of_a_moment_turn(benchmark):
    turns = iter(next(iter(benchmark.dialogues(history="reference"))))
    next(turns).answer([FOX])
    two = next(turns)
    assert (two.history[0].video_id, two.video_id) == (CAT, CAT)


def test_a_turn_sees_what_the_runner_shows(benchmark, named, tmp_path):
    """The runner's queries and the sessions' turns are the same, under every history."""
    for history in ("none", "own", "reference"):
        runs = []

        def keep(query, runs=runs):
            runs.append(query)
            return {"video": [FOX, CAT], "moment": [(DOG, 1, 2)], "chat": "hm"}[query.task]

        out = tmp_path / history
        ivcr.run(benchmark, keep, out=out, history=history, candidates="used", **named)
        by_hand = benchmark.dialogues(history=history, candidates="used")
        shown = []
        for turn in (turn for each in by_hand for turn in each):
            shown.append({name: getattr(turn, name) for name in ivcr.Query.__struct_fields__})
            turn.answer(keep(turn, []))
        of_runs = {each.key: each for each in runs}
        assert len(of_runs) == len(shown) == 9
        for each in shown:
            assert ivcr.Query(**each) == of_runs[each["dialogue_id"], each["turn"]]
        hand = by_hand.write(tmp_path / f"{history}-by-hand", **named)
        inner = benchmark._benchmark
        assert check(hand, inner).predictions == check(out, inner).predictions


def test_the_next_turn_waits_for_the_answer(benchmark):
    dialogue = next(iter(benchmark.dialogues(history="own")))
    turns = iter(dialogue)
    first = next(turns)
    with pytest.raises(ivcr.WrongUsageError, match=r"/1: expected an answer before the next turn"):
        next(turns)
    # A loop that is begun again gives the turn that waits.
    again = next(iter(dialogue))
    assert (again.turn, again.utterance) == (1, first.utterance)


def test_a_turn_is_answered_once(benchmark):
    turn = next(iter(next(iter(benchmark.dialogues(history="own")))))
    turn.answer([CAT])
    for again in (lambda: turn.answer([DOG]), turn.abstain):
        with pytest.raises(ivcr.WrongUsageError, match=r"/1: expected one answer, found a second"):
            again()
    assert turn.dialogue.predictions[0].videos == (CAT,)


def test_a_turn_waits_after_a_wrong_answer(benchmark):
    turn = next(iter(next(iter(benchmark.dialogues(history="own")))))
    with pytest.raises(ivcr.SubmissionError, match=r"/1: videos: video A/owl.mp4"):
        turn.answer(["A/owl.mp4"])
    with pytest.raises(ivcr.WrongUsageError, match="found one beside the fields choice"):
        turn.answer([CAT], choice=[CAT])
    with pytest.raises(ivcr.SubmissionError, match="found None"):
        turn.answer()
    turn.answer([CAT])
    assert turn.dialogue.turn.turn == 2


def test_what_is_written_is_valid_and_says_what_was_shown(benchmark, named, tmp_path):
    dialogues = answered(benchmark.dialogues(history="own", candidates="used"))
    out = dialogues.write(tmp_path / "sub", **named, card={"seed": 3, "description": "By hand."})
    assert ivcr.validate(out, benchmark).valid
    card = check(out, benchmark._benchmark).card
    assert (card.history, card.candidates, card.seed, card.team) == ("own", "used", 3, "A lab")


def test_a_turn_without_an_answer_is_named_and_nothing_is_written(benchmark, named, tmp_path):
    dialogues = benchmark.dialogues(history="own")
    for dialogue in dialogues:
        next(iter(dialogue)).abstain()
    with pytest.raises(ivcr.SubmissionError, match=r"each of 9 turns, found none .*/2 and 5 more"):
        dialogues.write(tmp_path / "sub", **named)
    assert not (tmp_path / "sub").exists()


def test_dialogues_may_be_answered_side_by_side(benchmark, named, tmp_path):
    dialogues = benchmark.dialogues(history="own")
    while waiting := [each.turn for each in dialogues if each.turn is not None]:
        for turn in waiting:
            turn.answer(valid(turn))
    dialogues.write(tmp_path / "sub", **named)
    assert len(dialogues) == 3
    assert dialogues[waiting_id(dialogues)].turn is None


def waiting_id(dialogues):
    return next(iter(dialogues)).dialogue_id


@pytest.mark.parametrize(("more", "expected"), [
    ({"history": "owm"}, "history: expected one of none, own, reference, found 'owm'"),
    ({"history": "own", "candidates": True}, "candidates: expected one of used, unused"),
])  # fmt: skip
def test_another_word_is_refused(benchmark, more, expected):
    with pytest.raises(ivcr.WrongUsageError, match=expected):
        benchmark.dialogues(**more)
