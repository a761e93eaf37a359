"""Turns a second of `endpoint` beside a plain loop, on the same server in one run.

    python -m tests.bench.endpoint [--turns 128] [--delay 0.2] [--concurrency 16]
    python -m tests.bench.endpoint --url http://127.0.0.1:8000/v1 --model NAME

Without --url the server is one of the tests' own, in a process of its own, that answers every
request after --delay seconds, as many at once as are asked. The plain loop is what a script does:
the same prompts and pictures, one request after the other, no retries, nothing kept. Both start
from the same prepared baseline; `endpoint` keeps replies in a fresh file, on the disk before use.
"""

from __future__ import annotations

import argparse
import base64
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2

from baselines.assistants.endpoint import Endpoint, EndpointSettings
from baselines.base import Query, View
from baselines.vlm.conversation import PromptBuilder
from baselines.vlm.images import VideoImages
from tests.baselines.conftest import SAMPLES, VIDEOS, imported

RUNS, BATCH = 3, 64
SERVER = """
import sys, time
from tests.chat.servers import Server, sensible
def act(handler, body, number):
    time.sleep(float(sys.argv[1]))
    handler.say(sensible(body))
print(Server(act).url, flush=True)
sys.stdin.read()
"""


def queries(turns: int) -> list[Query]:
    """Video turns, each with words of its own and four candidates."""
    candidates = tuple(VIDEOS)
    return [
        Query(f"d{number}", 1, "en", "video", f"the {number}th wish", candidates)
        for number in range(turns)
    ]


def plain(asked: list[Query], builder: PromptBuilder, url: str, model: str) -> int:
    """The loop of a script; how many replies it got."""
    got = 0
    with httpx2.Client(timeout=300, trust_env=False) as client:
        for query in asked:
            messages = [
                {"role": said.role, "content": [part(each) for each in said.parts]}
                for said in builder.choice(query).whole_conversation(structured=True)
            ]
            body = {"model": model, "messages": messages, "temperature": 0, "max_tokens": 512}
            answer = client.post(f"{url}/chat/completions", json=body).raise_for_status()
            got += bool(answer.json()["choices"])
    return got


def part(each: str | bytes) -> dict[str, Any]:
    """A part as the API has it."""
    if isinstance(each, str):
        return {"type": "text", "text": each}
    picture = f"data:image/jpeg;base64,{base64.b64encode(each).decode()}"
    return {"type": "image_url", "image_url": {"url": picture}}


def ours(asked: list[Query], view: View, settings: EndpointSettings) -> int:
    """As the runner does it, in batches; how many answers."""
    baseline = Endpoint(settings)
    baseline.prepare(view)
    started = time.perf_counter()
    answers = [
        answer
        for at in range(0, len(asked), BATCH)
        for answer in baseline.answer(asked[at : at + BATCH])
    ]
    SECONDS.append(time.perf_counter() - started)
    return len(answers)


SECONDS: list[float] = []


def measured(chosen: argparse.Namespace, url: str, folder: Path) -> None:
    """Print turns a second of both, by runs that take turns, and their ratio."""
    toy = imported(folder, SAMPLES, filmed=True)
    view = View(toy.videos, toy.split("test").corpus, toy.folder, "own", 0)
    asked, loop = queries(chosen.turns), []
    builder = PromptBuilder(toy.videos, VideoImages(view, 8, 0, 224), with_texts=True)
    for number in range(RUNS):
        settings = EndpointSettings(model=chosen.model, url=url, concurrency=chosen.concurrency,
                            moment_frames=0, version=str(number))  # fmt: skip
        cache = folder / f"cache{number}"
        fresh = View(toy.videos, view.corpus, toy.folder, "own", 0, cache=cache)
        assert ours(asked, fresh, settings) == len(asked)
        started = time.perf_counter()
        assert plain(asked, builder, url, chosen.model) == len(asked)
        loop.append(time.perf_counter() - started)
        print(f"run {number + 1}: endpoint {len(asked) / SECONDS[-1]:.1f} turns/s, "
              f"plain loop {len(asked) / loop[-1]:.1f} turns/s")  # fmt: skip
    ratios = [other / one for one, other in zip(SECONDS, loop, strict=True)]
    found = f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
    print(f"{len(asked)} turns, {chosen.concurrency} at once: median ratio {found}")


def main() -> None:
    """Start a server unless one is named, and measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, default=128)
    parser.add_argument("--delay", default="0.2")
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--url")
    parser.add_argument("--model", default="toy")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if chosen.url:
            measured(chosen, chosen.url, Path(folder))
            return
        program = [sys.executable, "-c", SERVER, chosen.delay]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen(program, text=True, **pipes) as server:
            assert server.stdout is not None
            measured(chosen, server.stdout.readline().strip(), Path(folder))
            server.communicate()


if __name__ == "__main__":
    main()
