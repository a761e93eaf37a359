"""A small trained language model behind a real chat server: it reads, and it sees nothing."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from harness.benchmark import Benchmark
from harness.sources.importing import ImportSettings, import_files

pytestmark = pytest.mark.real
DIALOGUES = 8


@pytest.fixture
def few(mini, tmp_path):
    """The first dialogues of IVCR-Mini's test split with their videos."""
    source, out = mini.folder / "source", tmp_path / "few"
    samples = json.loads((source / "ivcr-mini.json").read_bytes())
    chosen = [sample for sample in samples if sample["split"] == "test"][:DIALOGUES]
    (tmp_path / "few.json").write_text(json.dumps(chosen))
    import_files(
        [tmp_path / "few.json"], out, ImportSettings("few"), videos=source / "videos.jsonl"
    )
    for video_id in Benchmark(out).split("test").corpus:
        path = mini.videos[video_id].path
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(mini.folder / path, out / path)
    return Benchmark(out)


@pytest.fixture
def served(unpacked, tmp_path):
    """The address of `transformers serve`, and the folder that it serves."""
    folder, log = unpacked("smollm2"), tmp_path / "log"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = [sys.executable, "-c", "from transformers.cli.transformers import main; main()",
               "serve", folder, "--device", "cpu", "--dtype", "float32", "--host", "127.0.0.1",
               "--port", str(port)]  # fmt: skip
    with log.open("wb") as stream:
        process = subprocess.Popen(program, stdout=stream, stderr=stream,
                                   env={**os.environ, "HF_HUB_OFFLINE": "1"})  # fmt: skip
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", process, log)
        yield f"http://127.0.0.1:{port}/v1", folder
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(3000):
        assert process.poll() is None, log.read_text("utf-8", "replace")
        try:
            if httpx2.get(url, trust_env=False).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(log.read_text("utf-8", "replace"))


def test_a_model_of_texts_answers_and_is_not_ahead_of_a_floor(served, few, ivcr, tmp_path):
    """Pictures alone would tell the candidates apart, and it is shown none that it can read."""
    url, model = served
    runs = [tmp_path / "endpoint", tmp_path / "floor"]
    common = ("--benchmark", few.folder, "--history", "own", "--out")
    code, _, err = ivcr("baseline", "run", "endpoint", *common, runs[0], "--set", f"url={url}",
                        "--set", f"model={model}", "--set", "structured=off", "--set", "frames=1",
                        "--set", "moment_frames=1", "--set", "side=32", "--set", "texts=none",
                        "--set", "max_tokens=24", "--set", "concurrency=1",
                        "--cache", tmp_path / "cache")  # fmt: skip
    assert code == 0, err
    code, _, err = ivcr("baseline", "run", "candidates_as_given", *common, runs[1])
    assert code == 0, err
    record = json.loads((runs[0] / "run.json").read_bytes())
    assert record["spent"]["requests"] >= len(few.split("test").turns)
    code, out, err = ivcr("compare", *runs, "--benchmark", few.folder, "--format", "json",
                          "--dialogues", 0, "--small")  # fmt: skip
    assert code == 0, err
    [difference] = [each for each in json.loads(out)["differences"]
                    if (each["metric"], each["slice"]) == ("C-R@1", "all")]  # fmt: skip
    assert difference["low"] <= 0
    assert difference["first_value"] < 0.5
