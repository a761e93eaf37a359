"""A server in a process of its own that is killed at random, and clients that are too."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from harness.exam.client import ExamClient
from harness.exam.storage.database import Database
from harness.exam.storage.tokens import make_token
from tests.exam.conftest import card
from tests.exam.test_protocol import EMPTY

SERVER = "from harness.cli import main; main()"
CLIENT = """
import sys, json
from harness.exam.client import ExamClient
from tests.exam.killing import answer_all
answer_all(*sys.argv[1:])
"""
CHALLENGE = """
title = "Exam"
[[phase]]
name = "own"
kind = "exam"
split = "test"
history = "own"
opens = 2026-01-01T00:00:00Z
closes = 2036-01-01T00:00:00Z
feedback = "exact"
"""


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def answer_all(url, token):
    """Answer an exam from wherever it stands, and finish it."""
    client = ExamClient(url, token, patience=120.0)
    exam = client.open("own", card(), "key")["exam"]
    while turns := client.turns(exam, 20):
        for turn in turns:
            client.answer(exam, turn["dialogue_id"], turn["turn"], EMPTY[turn["task"]])
    client.finish(exam)
    client.close()


class KilledServer:
    """The command `ivcr serve` on the files of a challenge."""

    def __init__(self, root, benchmark):
        self.root, self.port, self.process = root, free_port(), None
        self.url = f"http://127.0.0.1:{self.port}"
        team = root / "submissions" / "one"
        team.mkdir(parents=True)
        (team / "team.toml").write_text('name = "one"\n')
        (root / "submissions" / "challenge.toml").write_text(CHALLENGE)
        self.config = root / "CONFIG.toml"
        self.config.write_text(
            f'submissions = "submissions"\nbenchmark = "{benchmark}"\nresults = "results"\n'
            f'practice = ["own"]\nport = {self.port}\n'
        )
        self.database = f"sqlite:///{root / 'exam.db'}"
        database = Database(self.database)
        with database.writing() as connection:
            _, self.token = make_token(connection, "one", "2026-01-01T00:00:00Z", None)
        database.close()

    def begin(self):
        command = [sys.executable, "-c", SERVER, "serve", str(self.config)]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL)  # fmt: skip

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def wait(self):
        """Until it answers."""
        client = ExamClient(self.url, self.token, patience=120.0)
        client._send("GET", "/healthz")
        client.close()


def client_process(server):
    where = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(where)}
    return subprocess.Popen([sys.executable, "-c", CLIENT, server.url, server.token],
                            cwd=where, env=environment)  # fmt: skip


def killed_at_random(root, benchmark, kills, seed, pause=0.4):
    """An exam in which server or client is killed so many times; the server, at the end."""
    draw, server = random.Random(seed), KilledServer(root, benchmark)
    server.begin()
    clients = []
    try:
        server.wait()
        done = _kill(server, clients, draw, kills, pause)
    except BaseException:
        server.kill()
        raise
    finally:
        for client in clients:
            client.kill()
            client.wait()
    return server, done


def _kill(server, clients, draw, kills, pause):
    """Kill until the exam is finished; how often. `clients` gets every process that was begun."""
    clients.append(client_process(server))
    done = 0
    while done < kills and clients[-1].poll() is None:
        time.sleep(draw.uniform(0, pause))
        if draw.random() < 0.5:
            server.kill()
            server.begin()
            server.wait()
        else:
            clients[-1].kill()
            clients[-1].wait()
            clients.append(client_process(server))
        done += 1
    while clients[-1].wait() != 0:
        clients.append(client_process(server))
    return done
