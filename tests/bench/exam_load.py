"""Exams under load: answered turns a second beside this disk's bare fsync and a bare loopback.

    python -m tests.bench.exam_load [CLIENTS] [SECONDS] [DATABASE]

CLIENTS teams (50) answer side by side for SECONDS (20), each an exam of 200 dialogues, from
processes of their own; DATABASE is a URL, by default SQLite in a new folder. Prints how often the
disk syncs a small write, how often the server says that it is well, turns answered a second, and
how long an answer takes: median, 99 % and longest.
"""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from harness.exam.client import ExamClient
from harness.exam.storage.database import Database
from harness.exam.storage.tokens import make_token
from tests.baselines.conftest import SAMPLES, imported
from tests.exam.conftest import card
from tests.exam.killing import CHALLENGE, SERVER, free_port
from tests.exam.test_protocol import EMPTY

DIALOGUES = 200
PROCESSES = 4  # that clients share


def fsyncs(folder, seconds=2.0):
    """Small writes a second, each on the disk before the next."""
    with (folder / "sync").open("wb", buffering=0) as stream:
        begin, count = time.perf_counter(), 0
        while time.perf_counter() - begin < seconds:
            stream.write(b"x" * 200)
            os.fsync(stream.fileno())
            count += 1
    return count / seconds


def loopback(url, token, seconds=2.0):
    """Requests a second of one client that the server answers without its tables."""
    client = ExamClient(url, token)
    begin, count = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        client._send("GET", "/healthz")
        count += 1
    client.close()
    return count / seconds


def answer(url, teams, seconds, results):
    """Clients of some teams in turns, each with one request at a time."""
    times = []
    clients = [(ExamClient(url, token), name) for name, token in teams]
    opened = [(client, client.open("own", card(team=name), "key")["exam"])
              for client, name in clients]  # fmt: skip
    waiting = [client.turns(exam) for client, exam in opened]
    until = time.perf_counter() + seconds
    while time.perf_counter() < until and any(waiting):
        for at, (client, exam) in enumerate(opened):
            if not waiting[at]:
                continue
            turn = waiting[at].pop()
            begin = time.perf_counter()
            client.answer(exam, turn["dialogue_id"], turn["turn"], EMPTY[turn["task"]])
            times.append(time.perf_counter() - begin)
            if not waiting[at]:
                waiting[at] = client.turns(exam)
    results.put(times)


def main(clients, seconds, url):
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        benchmark = imported(root, (SAMPLES[:3] * DIALOGUES)[:DIALOGUES])
        (root / "submissions").mkdir()
        (root / "submissions" / "challenge.toml").write_text(CHALLENGE)
        port = free_port()
        url = url or f"sqlite:///{root / 'exam.db'}"
        config = {
            "submissions": "submissions", "benchmark": str(benchmark.folder), "results": "results",
            "practice": ["own"], "port": port, "database": url,
        }  # fmt: skip
        lines = [f"{key} = {json.dumps(value)}" for key, value in config.items()]
        (root / "CONFIG.toml").write_text("\n".join(lines))
        database, teams = Database(url), []
        with database.writing() as connection:
            for number in range(clients):
                name = f"team-{number}"
                (root / "submissions" / name).mkdir()
                (root / "submissions" / name / "team.toml").write_text(f'name = "{name}"\n')
                made = make_token(connection, name, "2026-01-01T00:00:00Z", None)
                teams.append((name, made[1]))
        database.close()
        command = [sys.executable, "-c", SERVER, "serve", str(root / "CONFIG.toml")]
        server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            address = f"http://127.0.0.1:{port}"
            waiting = ExamClient(address, teams[0][1], patience=60)
            waiting._send("GET", "/healthz")
            waiting.close()
            print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, {url.partition(':')[0]}")
            print(f"fsyncs of this disk     {fsyncs(root):8.0f} a second")
            print(f"requests of one client  {loopback(address, teams[0][1]):8.0f} a second")
            context = multiprocessing.get_context("spawn")
            results = context.Queue()
            workers = [
                context.Process(target=answer, args=(address, part, seconds, results))
                for part in (teams[n::PROCESSES] for n in range(PROCESSES))
            ]
            begin = time.perf_counter()
            for worker in workers:
                worker.start()
            times = np.concatenate([results.get() for _ in workers])
            took = time.perf_counter() - begin
            for worker in workers:
                worker.join()
        finally:
            server.terminate()
            server.wait()
        median, late, longest = np.quantile(times, [0.5, 0.99, 1.0]) * 1000
        print(
            f"{clients} teams, {PROCESSES} at once   {len(times) / seconds:8.0f} turns a second "
            f"({len(times):,} in {took:.0f} s)"
        )
        print(f"an answer takes {median:.1f} ms, 99 % {late:.1f} ms, longest {longest:.1f} ms")


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else 50, float(given[1]) if len(given) > 1 else 20.0,
         given[2] if len(given) > 2 else None)  # fmt: skip
