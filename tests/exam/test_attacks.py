"""What hostile and careless teams, proxies and disks do to a server of exams."""

import http.client
import json
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy.exc import OperationalError

from baselines.registry import find
from baselines.running.run_config import RunConfig, RunContext
from harness.api.exams import ExamPlace, run_exam
from harness.benchmark import Benchmark
from harness.challenge.ledger import read_ledger
from harness.errors import WrongUsageError
from harness.exam import service as service_module
from harness.exam.client import ExamClient, ExamError, check_receipts
from harness.exam.finishing import ExamRecords
from harness.exam.http import bodies
from harness.exam.record_keeping import RecordKeeper
from harness.exam.refusals import ServerClosingError, StorageFullError
from harness.exam.service import ExamService
from harness.exam.storage import store
from harness.exam.storage.database import Database
from harness.exam.storage.group_commit import GroupCommit
from harness.files import canonical
from harness.public_copy import publish
from tests.baselines.conftest import CAT, SAMPLES, ask, dialogue, imported
from tests.exam.conftest import Served, card
from tests.exam.test_protocol import EMPTY, answer_all, opened, refused


def send(served, token, method, path, body=b"", **headers):
    """Status, headers and bytes of the reply to a request that no sound client sends."""
    connection = http.client.HTTPConnection(served.url.removeprefix("http://"), timeout=10)
    headers = {"Authorization": f"Bearer {token}", **headers}
    try:
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        return reply.status, dict(reply.getheaders()), reply.read()
    finally:
        connection.close()


def first_answer(client, exam):
    turn = client.turns(exam)[0]
    return client.answer(exam, turn["dialogue_id"], turn["turn"], EMPTY[turn["task"]])


@pytest.mark.parametrize("given", [5, "abc", [], [[[1]]], True, {}, {"card": card()}], ids=str)
def test_a_final_card_that_is_none_is_refused(served, given):
    client = served.client()
    exam = opened(client)
    answer_all(client, exam)
    assert refused(client.finish, exam, given) == (400, "bad_request")
    assert client.status(exam)["state"] == "open"


def test_a_misspelt_key_of_a_request_is_not_taken_for_nothing(served):
    client, token = served.client(), served.team("one")
    exam = opened(client)
    answer_all(client, exam)
    last = json.dumps({"crad": card(cost={"GPU hours": 2})}).encode()
    assert send(served, token, "POST", f"/api/v1/exams/{exam}/finish", last)[0] == 400
    assert client.status(exam)["state"] == "open"
    body = json.dumps({"phase": "own", "card": card(), "team": "two"}).encode()
    assert send(served, token, "POST", "/api/v1/exams", body, **{"Idempotency-Key": "x"})[0] == 400


@pytest.mark.parametrize("field", ["cost", "hardware"])
def test_a_card_that_no_submission_can_have_is_refused_before_it_costs_an_exam(served, field):
    client = served.client()
    large = {
        "cost": {f"{number:04d}" + "x" * 150: "y" * 150 for number in range(250)},
        "hardware": "two\nlines",
    }
    assert refused(client.open, "own", card(**{field: large[field]}), "key")[0] == 400
    exam = opened(client)
    answer_all(client, exam)
    assert refused(client.finish, exam, card(**{field: large[field]}))[0] == 400
    assert client.finish(exam)["state"] == "finished"
    assert served.keeper.look() == 0


@pytest.mark.parametrize(
    "value", [1e-7, 5e-324, 0.1 + 0.2, 1.0, -0.0, 2.0**53, 123456.789, 2**53, 1e15, 1e-5], ids=repr
)
def test_a_client_comes_to_the_receipts_of_a_card_with_any_number(served, value):
    client = served.client()
    one = card(cost={"GPU hours": value, "\u2028\U0001f600": "\u00e9\ufeff"})
    exam = client.open("own", one, "key")["exam"]
    head = check_receipts(exam, served.benchmark.header.fingerprint, one, [])
    assert head == client.status(exam)["head"]


@pytest.mark.parametrize(
    "text",
    [
        '\x00\x01\x1f\x7f\b\f\n\t"\\/',
        "\u2028\u2029\ufeff\ufffe",
        "\U0010ffff\U0001f468\u200d\U0001f469",
        "e\u0301\u202e",
    ],
    ids=ascii,
)
def test_a_client_comes_to_the_receipts_of_any_text(served, text):
    client = served.client()
    exam = opened(client)
    for turn in client.turns(exam):
        answer = {**EMPTY[turn["task"]], "response": text}
        client.answer(exam, turn["dialogue_id"], 1, answer)
    answers = list(client.answers(exam))
    assert {each["answer"]["response"] for each in answers} == {text}
    head = check_receipts(exam, served.benchmark.header.fingerprint, card(), answers)
    assert head == client.status(exam)["head"]


def test_a_quota_holds_for_exams_that_were_opened_before_any_was_answered(served):
    client = served.client()
    exams = [opened(client, key=str(number)) for number in range(3)]
    first_answer(client, exams[0])
    first_answer(client, exams[1])
    assert refused(first_answer, client, exams[2]) == (403, "forbidden")
    assert client.status(exams[2])["answered"] == 0
    turn = client.turns(exams[1])[0]
    client.answer(exams[1], turn["dialogue_id"], turn["turn"], EMPTY[turn["task"]])


def test_a_team_cannot_open_exams_without_end(served):
    client = served.client()
    for number in range(service_module.MOST_UNANSWERED):
        client.open("none", card("none"), str(number))
    assert refused(client.open, "none", card("none"), "more") == (403, "forbidden")
    assert refused(client.open, "reference", card("reference"), "more") == (403, "forbidden")
    assert client.open("none", card("none"), "0")["exam"]
    assert served.client("two").open("none", card("none", team="two"), "0")["exam"]


def test_an_exam_is_not_verified_whose_turns_another_of_the_team_shows_meanwhile(served):
    client = served.client()
    first = opened(client)
    assert client.status(first)["verified"]
    spy = opened(client, "reference", key="spy")
    assert client.status(first)["verified"], "nothing was shown yet that the first does not show"
    first_answer(client, spy)
    assert not client.status(first)["verified"]


def test_an_exam_is_not_verified_whose_gold_another_shows_before_any_answer(tmp_path):
    """A first turn that asks for a moment shows its gold video under reference history."""
    samples = [*SAMPLES, dialogue(ask("when does it wake up?", CAT, span=(1, 2)))]
    served = Served(tmp_path, imported(tmp_path, samples))
    try:
        client = served.client()
        first = opened(client)
        opened(client, "none", key="harmless")
        assert client.status(first)["verified"]
        opened(client, "reference", key="spy")
        assert not client.status(first)["verified"]
    finally:
        served.end()


def test_an_exam_stays_verified_that_was_answered_before_the_next_showed_turns(served):
    mine, other = served.client("one"), served.client("two")
    first, theirs = opened(mine), opened(other, team="two")
    answer_all(mine, first)
    second = opened(mine, "reference", key="second")
    answer_all(mine, second)
    assert mine.status(first)["verified"]
    assert other.status(theirs)["verified"]


def test_the_same_request_finds_its_exam_after_the_phase_was_closed(served):
    client = served.client()
    exam = opened(client)
    token = client._headers["Authorization"].removeprefix("Bearer ")
    served.clock.now += timedelta(days=60)
    assert opened(served.client_of(token)) == exam
    assert refused(client.open, "own", card(), "another") == (403, "forbidden")


def test_an_exam_that_is_answered_whole_can_be_finished_after_its_deadline(served):
    client = served.client()
    exam = opened(client)
    answer_all(client, exam)
    served.clock.pass_hours(48)
    assert served.keeper.look() == 0
    assert client.status(exam)["state"] == "open"
    assert client.turns(exam) == []
    assert client.finish(exam)["state"] == "finished"
    assert served.keeper.look() == 0
    assert [line.event for line in read_ledger(served.submissions).lines][-1] == "scored"


def test_a_page_of_answers_ends_after_some_bytes(served, monkeypatch):
    monkeypatch.setattr(service_module, "MOST_ANSWER_BYTES", 30)
    client = served.client()
    exam = opened(client)
    answer_all(client, exam)
    page = served.service.answers("one", exam)["answers"]
    assert 1 <= len(page) < client.status(exam)["turns"]
    assert [each["seq"] for each in client.answers(exam)] == list(
        range(1, client.status(exam)["turns"] + 1)
    )


@pytest.mark.parametrize("place", ["%00/turns", "{exam}/answers/%00/1", "{exam}/answers/a%00b/1"])
def test_names_that_no_database_holds_are_unknown(on_both, place):
    token = on_both.team("one")
    exam = opened(on_both.client_of(token))
    method = "PUT" if "answers" in place else "GET"
    path = "/api/v1/exams/" + place.format(exam=exam)
    status, _, body = send(on_both, token, method, path, b'{"videos":[]}')
    assert status in (404, 409), body


def test_wrong_methods_are_told_the_right_ones_and_nothing_is_redirected(served):
    token = served.team("one")
    status, headers, _ = send(served, token, "DELETE", "/api/v1/exams/x")
    assert (status, headers["allow"]) == (405, "GET")
    assert send(served, token, "GET", "/api/v1/exams/x/")[0] == 404


@pytest.mark.parametrize("body", [b'{"error":"bad gateway"}', b'{"error":["x"]}', b"<html>", b""])
def test_a_client_takes_what_a_proxy_says_for_no_reply_of_the_server(body, monkeypatch):
    class Reply:
        status = 502

        def read(self):
            return body

    class Connection:
        def request(self, *_):
            pass

        def getresponse(self):
            return Reply()

    client = ExamClient("http://127.0.0.1:1", "token", patience=0.0)
    monkeypatch.setattr(client, "_connection", Connection())
    with pytest.raises(ExamError) as caught:
        client.status("x")
    assert (caught.value.status, caught.value.code) == (502, "unknown")


def test_a_request_that_was_given_up_ends_no_thread(served):
    writer = GroupCommit(served.database)
    held, go_on = threading.Event(), threading.Event()

    def hold(_connection):
        held.set()
        assert go_on.wait(10)
        return 1

    first = writer.submit(hold)
    assert held.wait(10)
    given_up = writer.submit(lambda _connection: 2)
    given_up.cancel()
    first.cancel()
    go_on.set()
    assert writer.submit(lambda _connection: 3).result(10) == 3
    writer.close()


def test_a_writer_that_is_closed_says_so(served):
    writer = GroupCommit(served.database)
    writer.close()
    with pytest.raises(ServerClosingError):
        writer.submit(lambda _connection: 1)
    writer.close()


class Refusing:
    """A database that cannot begin to write, as one that another program holds."""

    def __init__(self):
        self.tries = 0

    def writing(self):
        self.tries += 1
        raise OperationalError("BEGIN IMMEDIATE", None, Exception("database is locked"))


def test_a_database_that_another_program_holds_is_tried_once_for_all_who_wait():
    database = Refusing()
    writer = GroupCommit(database)
    asked = []
    for _ in range(50):
        asked.append(writer.submit(lambda _connection: 1))
    wait(asked, 10)
    assert all(isinstance(each.exception(10), StorageFullError) for each in asked)
    writer.close()
    tries, batch = database.tries, [Future() for _ in range(50)]
    for future in batch:
        future.set_running_or_notify_cancel()
    writer._carry_out([type("Request", (), {"future": each, "carry_out": None}) for each in batch])
    assert database.tries == tries + 1
    assert all(isinstance(each.exception(0), StorageFullError) for each in batch)


class Failing(ExamRecords):
    """Records of which some fail through a fault that nobody foresaw."""

    def record_opening(self, exam):
        if exam.phase == "none":
            raise KeyError("unforeseen")
        super().record_opening(exam)


def test_an_exam_that_cannot_be_recorded_keeps_no_other_from_it(served):
    client = served.client()
    opened(client, "none")
    opened(client, key="later")
    records = Failing(served.submissions, served.benchmark, served.root / "results")
    keeper = RecordKeeper(served.service, served.database, records)
    assert keeper.look() == 1
    assert [line.event for line in read_ledger(served.submissions).lines] == ["exam-opened"]


def test_a_database_that_cannot_be_read_ends_no_thread(served, monkeypatch):
    from harness.exam import record_keeping

    monkeypatch.setattr(record_keeping, "AFTER_FAULT", 0.01)
    monkeypatch.setattr(record_keeping, "PAUSE", 0.01)
    looks = []

    def broken(_connection):
        looks.append(1)
        raise OperationalError("SELECT", None, Exception("disk I/O error"))

    monkeypatch.setattr(store, "unrecorded", broken)
    served.keeper.start()
    deadline = threading.Event()
    while len(looks) < 3 and not deadline.wait(0.01):
        assert served.keeper._thread.is_alive()
    served.keeper.close()


def test_a_keeper_ends_although_its_service_was_closed_before(served, monkeypatch):
    from harness.exam import record_keeping

    monkeypatch.setattr(record_keeping, "PAUSE", 0.01)
    served.service.close()
    served.keeper.start()
    served.keeper._thread.join(10)
    closing = threading.Thread(target=served.keeper.close, daemon=True)
    closing.start()
    closing.join(10)
    assert not closing.is_alive()


def test_an_exam_that_is_voided_before_its_opening_was_told_is_told_whole(served):
    client = served.client()
    exam = opened(client)
    with served.database.writing() as connection:
        assert store.void_exam(connection, exam, "an outage")
    assert served.keeper.look() == 0
    assert [line.event for line in read_ledger(served.submissions).lines] == [
        "exam-opened", "exam-voided",
    ]  # fmt: skip


def test_what_was_recorded_of_an_exam_is_not_kept_once_its_state_has_changed(served):
    client = served.client()
    exam = opened(client)
    served.clock.pass_hours(48)
    assert served.keeper.look() == 0
    with served.database.reading() as connection:
        expired = store.find_exam(connection, exam, "one")
    with served.database.writing() as connection:
        store.void_exam(connection, exam, "an outage")
        store.set_recorded(connection, expired, store.CLOSED)
    assert served.keeper.look() == 0
    assert read_ledger(served.submissions).lines[-1].event == "exam-voided"


def test_a_body_that_does_not_come_is_not_waited_for_without_end(served, monkeypatch):
    monkeypatch.setattr(bodies, "LONGEST_BODY", 0.2)
    token = served.team("one")
    exam = opened(served.client_of(token))
    status, _, body = send(
        served, token, "PUT", f"/api/v1/exams/{exam}/answers/x/1", b"{", **{"Content-Length": "9"}
    )
    assert (status, json.loads(body)["error"]["code"]) == (408, "too_slow")
    assert served.client_of(token).status(exam)["answered"] == 0


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("localhost:8000", "x"),
        ("exam.example", "x"),
        ("http://exam.example:99999", "x"),
        ("http://exam.example:x", "x"),
        ("http://", "x"),
        ("http://exam.example", "a\nb"),
        ("http://exam.example", "\u2026"),
    ],
)
def test_an_address_or_a_token_that_is_none_is_a_wrong_usage(url, token, tmp_path, benchmark):
    with pytest.raises(ValueError):  # noqa: PT011 - urllib's own among them
        ExamClient(url, token)
    publish(benchmark, tmp_path / "public", exam=["test"])
    with pytest.raises(WrongUsageError, match="--exam"):
        run_exam(
            RunConfig(find("random"), "own"),
            Benchmark(tmp_path / "public"),
            ExamPlace(url, token, "own"),
            tmp_path / "out",
            context=RunContext(),
            progress=lambda done, total: None,
        )


@pytest.fixture
def beside(on_both):
    """A server, and the service of a second one on the same database."""
    database = Database(on_both.database_url)
    service = ExamService(
        on_both.submissions, Benchmark(on_both.benchmark.folder), database, clock=on_both.clock
    )
    yield on_both, service
    service.close()
    database.close()


def test_two_servers_on_one_database_verify_one_exam_and_keep_one_chain(beside):
    served, second = beside
    served.team("one")
    services = [served.service, second] * 4
    together = threading.Barrier(len(services))

    def open_one(place):
        together.wait(10)
        body = {"phase": "none", "card": card("none")}
        return services[place].open_exam("one", f"key {place}", body).result(20)

    with ThreadPoolExecutor(len(services)) as pool:
        replies = list(pool.map(open_one, range(len(services))))
    assert sum(each["verified"] for each in replies) == 1
    exam = replies[0]["exam"]
    while turns := served.service.turns("one", exam)["turns"]:
        asked = [
            services[place].put_answer(
                "one", exam, turn["dialogue_id"], turn["turn"],
                json.dumps(EMPTY[turn["task"]]).encode(),
            )
            for turn in turns
            for place in (0, 1)
        ]  # fmt: skip
        receipts = [each.result(20) for each in asked]
        assert receipts[::2] == receipts[1::2]
    answers = msgspec.json.decode(canonical(second.answers("one", exam)))["answers"]
    head = check_receipts(exam, served.benchmark.header.fingerprint, card("none"), answers)
    assert head == second.status("one", exam)["head"]
    finishes = [each.finish("one", exam, {}) for each in services]
    assert {each.result(20)["state"] for each in finishes} == {"finished"}
