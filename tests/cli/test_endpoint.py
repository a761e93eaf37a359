"""ivcr baseline run endpoint: killed, out of money, out of reach, it goes on and pays once."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import tomllib

import pytest

from harness.benchmark import Benchmark
from harness.validation import check
from tests.baselines.assistants.test_two_stage import always_the_cook
from tests.baselines.conftest import imported
from tests.chat.servers import TOKENS, Server, completion, sensible
from tests.conftest import REPOSITORY, WAIT, heed_signals

FILES = ("card.toml", "predictions.jsonl.zst", "run.json")
SECRET = "sk-very-secret-0123456789"
IVCR = "from harness.cli import main; main()"
EACH = sum(TOKENS.values())


@pytest.fixture
def server():
    made = Server()
    yield made
    made.close()


@pytest.fixture
def toy(tmp_path):
    return imported(tmp_path, filmed=True).folder


@pytest.fixture
def command(toy, server, tmp_path):
    """The arguments of a run into a folder, with a cache of its own unless one is named."""

    def arguments(out, *settings, cache=None, history="own"):
        small = ("model=toy", f"url={server.url}", "frames=2", "moment_frames=3", "side=32")
        return ["baseline", "run", "endpoint", "--benchmark", toy, "--history", history,
                "--out", out, "--cache", cache or tmp_path / f"{out.name}-cache",
                *(part for each in (*small, *settings) for part in ("--set", each))]  # fmt: skip

    return arguments


@pytest.fixture
def whole(ivcr, command, server, tmp_path):
    """The submission of a run that nothing befell; the server has forgotten it."""
    out = tmp_path / "whole"
    code, _, err = ivcr(*command(out))
    assert code == 0, err
    server.asked.clear()
    server.answered.clear()
    return out


def same(one, other):
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in FILES)


def texts(bodies):
    return [json.dumps(body, sort_keys=True) for body in bodies]


def test_a_run_is_valid_and_counts_what_it_has_cost(ivcr, command, toy, server, tmp_path):
    out = tmp_path / "sub"
    code, _, err = ivcr(*command(out, "price_in=2.5", "price_out=10"))
    assert code == 0
    assert check(out, Benchmark(toy)).report.errors == 0
    requests = len(server.asked)
    usage = {
        "requests": requests,
        "prompt_tokens": 100 * requests,
        "completion_tokens": 10 * requests,
    }
    card = tomllib.loads((out / "card.toml").read_text("utf-8"))
    assert card["cost"] == usage | {"USD": pytest.approx(requests * (250 + 100) / 1e6)}
    assert (card["system"], card["candidates"]) == ("endpoint", "used")
    assert card["settings"] == {"model": "toy", "frames": 2, "moment_frames": 3, "side": 32}
    record = json.loads((out / "run.json").read_text("utf-8"))
    assert record["spent"].items() >= usage.items()
    assert not {"url", "key", "budget", "concurrency"} & record["settings"].keys()
    assert len(record["details"]["prompts_sha256"]) == 64
    assert json.loads((out / "timing.json").read_text())["milliseconds"] > 0
    assert f"requests {requests}" in err


def test_a_second_run_takes_kept_replies_and_says_the_same(ivcr, command, server, whole, tmp_path):
    code, _, err = ivcr(*command(tmp_path / "again", cache=tmp_path / "whole-cache"))
    assert code == 0
    assert server.asked == []
    assert same(tmp_path / "again", whole)
    assert 'replies of "toy" are kept in' in err
    assert "--set version=" in err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("after", "number", "code", "word"),
    [
        (1, signal.SIGKILL, -9, ""),
        (4, signal.SIGKILL, -9, ""),
        (7, signal.SIGKILL, -9, ""),
        (2, signal.SIGINT, 130, "interrupted"),
        (5, signal.SIGTERM, 143, "terminated"),
    ],
)
def test_a_killed_run_loses_no_turn_and_pays_for_none_twice(
    ivcr, command, server, whole, tmp_path, after, number, code, word
):
    held = threading.Event()

    def act(handler, body, asked):
        if asked < after:
            handler.say(sensible(body))
        else:
            held.wait(60)
            handler.close_connection = True

    server.act = act
    arguments = command(tmp_path / "cut", "concurrency=1")
    program = [sys.executable, "-c", IVCR, *map(str, arguments)]
    process = subprocess.Popen(
        program, cwd=REPOSITORY, env=os.environ, stderr=subprocess.PIPE, preexec_fn=heed_signals
    )
    with process:
        base = tmp_path / "cut-cache" / "replies.sqlite"
        until = time.monotonic() + WAIT
        while kept(base) < after or len(server.asked) <= after:
            assert time.monotonic() < until
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.05)
        process.send_signal(number)
        said = process.communicate(timeout=WAIT)[1].decode()
    held.set()
    assert process.returncode == code
    assert (word in said.splitlines()[-1]) if word else True
    assert "Traceback" not in said
    assert len(server.answered) == after
    assert not (tmp_path / "cut").exists()
    server.act = lambda handler, body, number: handler.say(sensible(body))
    done, _, err = ivcr(*command(tmp_path / "cut", "concurrency=3"))
    assert done == 0, err
    assert same(tmp_path / "cut", whole)
    assert len(server.answered) == len(set(texts(server.answered)))


def kept(base):
    """How many replies a file holds."""
    if not base.exists():
        return 0
    connection = sqlite3.connect(f"file:{base}?mode=ro", uri=True)
    try:
        return connection.execute("SELECT count(*) FROM replies").fetchone()[0]
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


@pytest.mark.parametrize("after", [0, 2, 5])
def test_a_fault_that_lasts_ends_the_run_and_the_same_command_goes_on(
    ivcr, command, server, whole, tmp_path, after
):
    server.act = lambda handler, body, number: (
        handler.say(sensible(body)) if number < after else handler.say(b"down", 404)
    )
    code, out, err = ivcr(*command(tmp_path / "cut"))
    assert (code, out, len(err.splitlines()[-1:])) == (3, "", 1)
    assert "the same command goes on from there" in err
    assert not (tmp_path / "cut").exists()
    server.act = lambda handler, body, number: handler.say(sensible(body))
    assert ivcr(*command(tmp_path / "cut"))[0] == 0
    assert same(tmp_path / "cut", whole)
    assert len(server.answered) == len(set(texts(server.answered)))


def test_a_budget_ends_the_run_and_a_larger_one_goes_on_to_the_same_bytes(
    ivcr, command, server, whole, tmp_path
):
    budgets = [2 * EACH, 2 * EACH + 1, 5 * EACH]
    for budget in budgets:
        code, _, err = ivcr(*command(tmp_path / "cut", "concurrency=1", f"budget_tokens={budget}"))
        assert code == 3
        assert "larger --set budget_tokens goes on from there" in err
    assert len(server.answered) == 5
    assert ivcr(*command(tmp_path / "cut", "budget_tokens=999999"))[0] == 0
    assert same(tmp_path / "cut", whole)
    assert len(server.answered) == len(set(texts(server.answered)))


def test_money_is_a_budget_too(ivcr, command, server, tmp_path):
    prices = ("price_in=10", "price_out=0", "currency=EUR")
    code, _, err = ivcr(*command(tmp_path / "cut", *prices, "budget=0.0015", "concurrency=1"))
    assert (code, len(server.answered)) == (3, 2)
    assert "0.002 of 0.0015 EUR" in err


def test_a_key_is_in_nothing_that_a_run_leaves(ivcr, command, server, tmp_path, monkeypatch):
    monkeypatch.setenv("TOY_KEY", SECRET)
    server.act = lambda handler, body, number: handler.say(
        completion(f"video 1 {SECRET}") if number < 2 else f"{SECRET} is wrong".encode(),
        200 if number < 2 else 401,
    )
    what = command(tmp_path / "sub", "key=TOY_KEY", "concurrency=1")
    code, out, err = ivcr(*what)
    assert (code, "[key] is wrong" in err) == (3, True)
    left = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert SECRET.encode() not in left + out.encode() + err.encode()
    server.act = lambda handler, body, number: handler.say(completion(f"video 1 {SECRET}"))
    assert ivcr(*what)[0] == 0
    left = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert SECRET.encode() not in left
    assert {head["authorization"] for head in server.headers} == {f"Bearer {SECRET}"}


def spent(out):
    return json.loads((out / "run.json").read_text("utf-8"))["spent"]


def test_a_run_without_answers_says_so_and_what_to_change(ivcr, command, server, tmp_path):
    server.act = lambda handler, *_: handler.say(
        completion("<think>Is it video 3 or", finish_reason="length")
    )
    code, _, err = ivcr(*command(tmp_path / "sub"))
    assert code == 0
    (line,) = (line for line in err.splitlines() if "WARNING" in line)
    assert "turns have no answer, most often" in line
    assert "cut off at the limit; raise max_tokens" in line
    counts = spent(tmp_path / "sub")
    assert counts["unanswered: cut off at the limit"] >= counts["requests"] / 2
    assert counts["replies cut off at the limit"] == counts["requests"]
    assert counts["prompt_tokens"] == 200 * counts["requests"], "each was asked for twice"
    assert not [name for name in counts if name.startswith("abstained: cut")]
    server.act = lambda handler, body, number: handler.say(sensible(body))
    code, _, err = ivcr(*command(tmp_path / "again", cache=tmp_path / "sub-cache"))
    assert code == 0
    assert "WARNING" not in err
    assert not [name for name in spent(tmp_path / "again") if name.startswith("unanswered")]


@pytest.mark.parametrize("status", [200, 404, 500])
def test_run_json_says_how_the_server_was_asked(ivcr, command, server, tmp_path, status):
    def act(handler, body, number):
        if status == 200 or "response_format" not in body:
            handler.say(sensible(body))
        else:
            handler.say(b"no", status)

    server.act = act
    assert ivcr(*command(tmp_path / "sub", "concurrency=1"))[0] == 0
    counts = spent(tmp_path / "sub")
    names = ["asked by a schema", "asked in plain words"]
    assert [counts.get(name, 0) > 0 for name in names] == [status == 200, status != 200]
    assert ivcr(*command(tmp_path / "off", "structured=off"))[0] == 0
    assert spent(tmp_path / "off").keys().isdisjoint(names[:1])


def test_a_key_over_plain_http_to_another_machine_is_told(
    ivcr, command, server, tmp_path, monkeypatch
):
    monkeypatch.setenv("TOY_KEY", SECRET)
    what = command(tmp_path / "sub", "key=TOY_KEY", "budget_tokens=0")
    there = [str(part).replace(server.url, "http://192.0.2.1:9/v1") for part in what]
    code, _, err = ivcr(*there)
    assert code == 3, err
    assert 'the key goes unencrypted to "http://192.0.2.1:9/v1"' in err
    code, _, err = ivcr(*command(tmp_path / "own", "key=TOY_KEY", "budget_tokens=0"))
    assert "unencrypted" not in err


def test_processes_share_the_turns_and_the_count(ivcr, command, server, whole, tmp_path):
    code, _, err = ivcr(*command(tmp_path / "two"), "--processes", "2")
    assert code == 0, err
    assert same(tmp_path / "two", whole)


@pytest.mark.parametrize("history", ["none", "own", "reference"])
def test_what_is_told_of_earlier_turns_is_what_the_history_shows(
    ivcr, command, server, tmp_path, history
):
    assert ivcr(*command(tmp_path / "sub", history=history))[0] == 0
    said = {message["content"] for body in server.asked for message in body["messages"]
            if message["role"] == "assistant"}  # fmt: skip
    given = {"It is video 1.", "It is at 2.5s-7.5s.", "good day to you", "It is at 1s-2s."}
    if history == "none":
        assert said == set()
    elif history == "reference":
        assert said <= given
        assert said
    else:
        assert "good day to you" not in said
        assert said


def test_compare_shows_by_how_much_the_errors_of_two_stage_go_on(
    ivcr, server, toy, tmp_path, monkeypatch
):
    monkeypatch.setenv("IVCR_CACHE", str(tmp_path / "cache"))
    server.act = always_the_cook
    file = tmp_path / "stages.toml"
    file.write_text(
        '[retriever]\nbaseline = "random"\n[assistant]\nbaseline = "endpoint"\n'
        f'[assistant.settings]\nmodel = "toy"\nurl = "{server.url}"\n'
        "frames = 2\nmoment_frames = 3\nside = 32\n"
    )
    for history, pair in (("own", "reference"), ("reference", "own")):
        out = tmp_path / history
        what = ["baseline", "run", "two_stage", "--benchmark", toy, "--history", history]
        assert ivcr(*what, "--config", file, "--pair", pair, "--out", out)[0] == 0
        assert ivcr("score", out, "--benchmark", toy)[0] == 0
    names = (tmp_path / "own", tmp_path / "reference")
    code, out, _ = ivcr("compare", *names, "--benchmark", toy, "--format", "json")
    assert code == 0
    (found,) = json.loads(out)["propagation"]
    figures = {each["metric"]: each["value"] for each in found["figures"]}
    assert figures["R@1,IoU>=0.5"] > 0
