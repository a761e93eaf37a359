"""The exam over HTTP, request by request."""

import hashlib
import json

import pytest

from harness.challenge.ledger import read_ledger
from harness.challenge.ledger_check import verify
from harness.exam.client import ExamError, check_receipts
from harness.files import zstd
from harness.validation import check
from tests.baselines.conftest import CAT, DOG
from tests.exam.conftest import card


@pytest.fixture
def served(on_both):
    return on_both


EMPTY = {"video": {"videos": []}, "moment": {"moments": []}, "chat": {"response": ""}}


def opened(client, phase="own", history=None, key="key", **more):
    return client.open(phase, card(history or phase, **more), key)["exam"]


def answer_all(client, exam, give=lambda turn: EMPTY[turn["task"]]):
    """Answer every turn; the order in which turns were shown."""
    shown = []
    while turns := client.turns(exam):
        for turn in turns:
            client.answer(exam, turn["dialogue_id"], turn["turn"], give(turn))
            shown.append((turn["turn"], turn["dialogue_id"]))
    return shown


def refused(call, *arguments):
    with pytest.raises(ExamError) as caught:
        call(*arguments)
    return caught.value.status, caught.value.code


def test_turns_come_round_by_round_and_only_after_the_answer_before(served):
    client = served.client()
    exam = opened(client)
    dialogues = served.benchmark.split("test").dialogues()
    first = client.turns(exam)
    assert [(turn["dialogue_id"], turn["turn"]) for turn in first] == [
        (name, 1) for name in dialogues
    ]
    assert client.turns(exam) == first
    shown = answer_all(client, exam)
    assert sorted(shown) == sorted((turn.turn, turn.dialogue_id)
                                   for turn in served.benchmark.split("test").turns)  # fmt: skip
    assert [number for number, _ in shown] == sorted(number for number, _ in shown)


def test_a_turn_is_shown_as_its_line_and_nothing_more(served):
    client = served.client()
    line = json.loads(
        (served.benchmark.folder / "test" / "turns.jsonl").read_text("utf-8").splitlines()[0]
    )
    assert client.turns(opened(client))[0] == line


@pytest.mark.parametrize("history", ["none", "own", "reference"])
def test_histories_show_what_they_say(served, history):
    client = served.client()
    exam = opened(client, history)
    gold = {each.key: each for each in served.benchmark.gold("test")}
    seen = []

    def give(turn):
        key = (turn["dialogue_id"], turn["turn"])
        seen.append(turn)
        assert ("history" in turn) == (history == "reference")
        assert ("video_id" in turn) == (history == "reference" and turn["task"] == "moment")
        if history == "reference":
            assert [each["answer"] for each in turn["history"]] == [
                gold[key[0], number].answer for number in range(1, key[1])
            ]
            assert [each["video_id"] for each in turn["history"]] == [
                gold[key[0], number].video_id for number in range(1, key[1])
            ]
        return EMPTY[turn["task"]]

    answer_all(client, exam, give)
    assert len(seen) == len(gold)


def test_candidates_are_shown_to_whoever_declares_that_they_are_used(served):
    client = served.client()
    exam = client.open("own", card(candidates="used"), "key")["exam"]
    split = served.benchmark.split("test")
    for turn in client.turns(exam):
        key = (turn["dialogue_id"], turn["turn"])
        assert tuple(turn["candidates"]) == split.candidates.get(key, ())


def test_the_same_answer_again_gets_the_same_receipt_another_is_refused(served):
    client = served.client()
    exam = opened(client)
    turn = client.turns(exam)[0]
    place = (exam, turn["dialogue_id"], turn["turn"])
    first = client.answer(*place, {"videos": [CAT, DOG]})
    assert client.answer(*place, {"videos": [CAT, DOG]}) == first
    assert refused(client.answer, *place, {"videos": [DOG]}) == (409, "answered")
    assert client.status(exam)["answered"] == 1
    assert client.status(exam)["head"] == first["receipt"]


def test_receipts_are_the_hashes_that_the_protocol_says(served):
    client = served.client()
    exam = opened(client)
    turn = client.turns(exam)[0]
    name = turn["dialogue_id"]
    given = {"videos": [CAT], "response": "猫"}
    found = client.answer(exam, name, 1, given)

    def sha256(*values):
        text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    before = sha256(exam, served.benchmark.header.fingerprint, card())
    assert found == {"seq": 1, "previous": before,
                     "receipt": sha256(before, 1, name, 1, given)}  # fmt: skip
    answer_all(client, exam)
    answers = list(client.answers(exam))
    head = check_receipts(exam, served.benchmark.header.fingerprint, card(), answers)
    assert head == client.status(exam)["head"]
    for broken in (answers[1:], [answers[1], answers[0], *answers[2:]]):
        with pytest.raises(ValueError, match="does not follow"):
            check_receipts(exam, served.benchmark.header.fingerprint, card(), broken)


def test_times_are_kept_in_milliseconds_before_clipping(served):
    client = served.client()
    exam = opened(client, "reference")
    videos = served.benchmark.videos.values()
    durations = {video.video_id: (video.duration or 0) / 1000 for video in videos}
    kept = []

    def give(turn):
        duration = durations.get(turn.get("video_id"))
        if turn["task"] == "moment" and duration:
            kept.append((turn["dialogue_id"], turn["turn"], round(1000 * (duration + 0.4))))
            return {"moments": [{"video_id": turn["video_id"], "start": 0.0014,
                                 "end": duration + 0.4}]}  # fmt: skip
        return EMPTY[turn["task"]]

    answer_all(client, exam, give)
    found = {(each["dialogue_id"], each["turn"]): each["answer"] for each in client.answers(exam)}
    assert kept
    for name, turn, end in kept:
        assert found[name, turn]["moments"][0]["end"] == end
        assert found[name, turn]["moments"][0]["start"] == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({}, "invalid_answer"),
        ({"response": "hm"}, "invalid_answer"),
        ({"videos": ["no such video"]}, "invalid_answer"),
        ({"videos": [CAT, CAT]}, "invalid_answer"),
        ({"videos": [CAT], "turn": 2}, "invalid_answer"),
        ({"videos": [CAT], "dialogue_id": "other"}, "invalid_answer"),
        ({"videos": CAT}, "invalid_answer"),
    ],
    ids=str,
)
def test_an_invalid_answer_gets_the_problems_and_nothing_is_stored(served, answer, code):
    client = served.client()
    exam = opened(client)
    turn = next(each for each in client.turns(exam) if each["task"] == "video")
    with pytest.raises(ExamError) as caught:
        client.answer(exam, turn["dialogue_id"], 1, answer)
    assert (caught.value.status, caught.value.code) == (422, code)
    assert caught.value.details["problems"]
    assert client.status(exam)["answered"] == 0


def test_a_turn_that_is_not_open_takes_no_answer_whatever_the_reason(served):
    client = served.client()
    exam = opened(client)
    name = client.turns(exam)[0]["dialogue_id"]
    texts = set()
    for dialogue, turn in ((name, 2), (name, 99), ("unknown", 1), (name, 0)):
        with pytest.raises(ExamError) as caught:
            client.answer(exam, dialogue, turn, {"videos": []})
        assert (caught.value.status, caught.value.code) == (409, "turn_not_open")
        texts.add(caught.value.text.replace(f"turn {turn} of dialogue {dialogue!r}", "the turn"))
    assert len(texts) == 1


def test_exams_of_others_are_as_if_they_were_not_there(served):
    mine, other = served.client("one"), served.client("two")
    exam = opened(mine)
    for call in (other.status, other.turns, other.finish):
        assert refused(call, exam) == refused(call, "0" * 32) == (404, "unknown_exam")
    turn = mine.turns(exam)[0]
    place = (exam, turn["dialogue_id"], 1, {"videos": []})
    assert refused(other.answer, *place) == (404, "unknown_exam")


def test_the_same_request_opens_one_exam(served):
    client = served.client()
    first = client.open("own", card(), "key")
    assert client.open("own", card(), "key") == first
    assert refused(client.open, "none", card("none"), "key") == (409, "conflict")
    assert client.open("own", card(), "another")["exam"] != first["exam"]


def test_a_card_is_fixed_but_for_what_it_cost(served):
    client = served.client()
    exam = opened(client)
    answer_all(client, exam)
    assert refused(client.finish, exam, card(system="other"))[0] == 400
    last = card(cost={"GPU hours": 2})
    assert client.finish(exam, last)["state"] == "finished"
    assert client.finish(exam, last)["state"] == "finished"
    assert refused(client.finish, exam, card()) == (409, "conflict")


def test_an_exam_with_open_turns_cannot_be_finished(served):
    client = served.client()
    exam = opened(client)
    with pytest.raises(ExamError) as caught:
        client.finish(exam)
    assert caught.value.code == "turns_open"
    assert caught.value.details["answered"] == 0


def test_a_deadline_ends_an_exam_and_answers_from_before_keep_their_receipts(served):
    client = served.client()
    exam = opened(client)
    turn = client.turns(exam)[0]
    place = (exam, turn["dialogue_id"], 1)
    found = client.answer(*place, {"videos": [CAT]})
    served.clock.pass_hours(48)
    assert client.answer(*place, {"videos": [CAT]}) == found
    assert refused(client.turns, exam) == (410, "exam_over")
    second = next(iter(set(served.benchmark.split("test").dialogues()) - {turn["dialogue_id"]}))
    assert refused(client.answer, exam, second, 1, {"videos": []}) == (410, "exam_over")
    assert client.status(exam)["state"] == "expired"
    assert served.keeper.look() == 0
    assert [line.event for line in read_ledger(served.submissions).lines] == [
        "exam-opened", "exam-expired",
    ]  # fmt: skip


def test_a_quota_counts_exams_with_an_answer(served):
    client = served.client()
    for key in ("a", "b"):
        exam = opened(client, key=key)
        turn = client.turns(exam)[0]
        client.answer(exam, turn["dialogue_id"], 1, {"videos": []})
    assert refused(client.open, "own", card(), "c") == (403, "forbidden")
    assert served.client("two").open("own", card(team="two"), "c")["verified"]


def test_only_the_first_exam_of_a_team_is_verified(served):
    client = served.client()
    assert client.open("own", card(), "a")["verified"]
    assert not client.open("own", card(), "b")["verified"]
    assert served.client("two").open("own", card(team="two"), "a")["verified"]


@pytest.mark.parametrize(
    ("values", "status"),
    [
        (card(team="two"), 403),
        (card("reference"), 400),
        ({**card(), "history": "all"}, 400),
        ({"schema": 1}, 400),
        (None, 400),
    ],
)
def test_a_card_that_does_not_fit_opens_nothing(served, values, status):
    assert refused(served.client().open, "own", values, "key")[0] == status


def test_a_phase_is_open_in_its_time(served):
    client = served.client()
    served.clock.pass_hours(24 * 60)
    assert refused(client.open, "own", card(), "key") == (403, "forbidden")
    assert refused(client.open, "unknown", card(), "key")[0] == 400


def test_tokens_are_needed_and_end(served):
    for token in ("", "ivcr_wrong"):
        client = served.client_of(token)
        assert refused(client.status, "x") == (401, "not_signed_in")
    token = served.team("one", expires_at="2026-01-06T00:00:00Z")
    client = served.client_of(token)
    exam = opened(client)
    served.clock.pass_hours(24)
    assert refused(client.status, exam) == (401, "not_signed_in")
    with served.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM tokens").all()
    assert token not in repr(rows)


def test_a_finished_exam_is_a_run_of_the_challenge(served):
    client = served.client()
    exam = opened(client)
    answer_all(client, exam)
    run = client.finish(exam)["run"]
    assert served.keeper.look() == 0
    assert served.keeper.look() == 0
    lines = read_ledger(served.submissions).lines
    assert [line.event for line in lines] == [
        "exam-opened", "exam-finished", "accepted", "scored",
    ]  # fmt: skip
    folder = served.submissions / "one" / run
    report = check(folder, served.benchmark, "test").report
    assert not [each for each in report.problems if each.severity == "error"]
    data = zstd.decompress((folder / "predictions.jsonl.zst").read_bytes())
    assert len(data.splitlines()) == len(served.benchmark.split("test").turns)
    assert verify(served.submissions).problems == ()


def test_a_client_that_lost_its_disk_has_its_answers_and_their_turns_again(served):
    client = served.client()
    exam = opened(client)
    shown = client.turns(exam)
    for turn in shown:
        client.answer(exam, turn["dialogue_id"], 1, EMPTY[turn["task"]])
    again = opened(served.client())
    assert again == exam
    found = list(client.answers(exam))
    assert [{key: each[key] for key in turn} for each, turn in zip(found, shown, strict=True)] == (
        shown
    )


def test_a_server_that_starts_again_goes_on(served):
    client = served.client()
    exam = opened(client)
    turn = client.turns(exam)[0]
    found = client.answer(exam, turn["dialogue_id"], 1, {"videos": [CAT]})
    token = client._headers["Authorization"].removeprefix("Bearer ")
    served.end()
    served.begin()
    client = served.client_of(token)
    assert client.answer(exam, turn["dialogue_id"], 1, {"videos": [CAT]}) == found
    answer_all(client, exam)
    assert client.finish(exam)["state"] == "finished"
