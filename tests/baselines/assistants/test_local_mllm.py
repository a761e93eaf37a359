"""A checkpoint in its true format answers here as it does alone, and as it does behind a server."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest
from PIL import Image

from baselines.base import MemberConfig, Query
from baselines.encoders.processors import load_processor
from baselines.registry import find, load
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.records import Moment
from tests.baselines import tiny
from tests.baselines.assistants.conftest import SMALL
from tests.baselines.assistants.test_endpoint import EARLIER, FOUR, moment, video
from tests.baselines.conftest import COOK, DOG

QUERIES = [
    video(),
    moment(history=EARLIER),
    Query("d", 1, "en", "chat", "hello"),
    video("a dog, please", history=EARLIER),
    moment("find a video where a man cooks", EARLIER),
    video("沙发", language="zh", candidates=FOUR[:2]),
]


@pytest.fixture(scope="module")
def random(tmp_path_factory):
    """A checkpoint whose replies depend on all that it is shown."""
    return tiny.llava(tmp_path_factory.mktemp("random") / "llava", seed=3)


@pytest.fixture(scope="module")
def saying(tmp_path_factory):
    """A checkpoint that says one thing."""
    return tiny.llava(tmp_path_factory.mktemp("saying") / "llava", saying="video 4")


@pytest.fixture
def local(viewed):
    """A prepared local_mllm."""

    def make(checkpoint, *settings):
        given = [*SMALL, f"checkpoint={checkpoint}", "max_tokens=12", *settings]
        baseline, _ = load(find("local_mllm"), given)
        baseline.prepare(viewed())
        return baseline

    return make


def said(answers):
    return [(answer.videos, answer.moments, answer.response) for answer in answers]


def test_what_the_checkpoint_says_is_read(local, saying):
    (answer,) = local(saying).answer([video()])
    assert (answer.response, answer.choice[0]) == ("video 4", COOK)
    assert answer.usage["completion_tokens"] == len("video 4") + 1


def test_replies_depend_on_pictures_and_words(local, random):
    one, other, third = local(random).answer(
        [video(), video(candidates=FOUR[::-1]), video("a dog, please")]
    )
    assert len({one.response, other.response, third.response}) == 3
    told = local(random, "texts=none").answer([video(), video(candidates=FOUR[::-1])])
    assert told[0].response != told[1].response


def test_an_answer_depends_on_its_query_alone(local, random):
    baseline = local(random)
    assert said(baseline.answer(QUERIES)) == [said(baseline.answer([q]))[0] for q in QUERIES]


def test_a_padded_batch_says_what_each_says_alone(local, random):
    assert said(local(random, "batch=4").answer(QUERIES)) == said(local(random).answer(QUERIES))


@pytest.fixture(scope="module")
def qwen(tmp_path_factory):
    """A checkpoint whose processor has a part for videos, whose library is not here."""
    return tiny.qwen2_vl(tmp_path_factory.mktemp("qwen") / "qwen2_vl", seed=1)


def test_a_processor_without_its_part_for_videos_reads_pictures_and_words(local, qwen):
    baseline = local(qwen)
    answers = baseline.answer(QUERIES)
    assert said(answers) == [said(baseline.answer([query]))[0] for query in QUERIES]
    assert said(local(qwen, "batch=4").answer(QUERIES)) == said(answers)
    seen = local(qwen, "texts=none").answer([video(), video(candidates=FOUR[::-1])])
    assert seen[0].response != seen[1].response


def test_two_stage_asks_a_checkpoint_as_well(viewed, saying):
    small = {"frames": 2, "moment_frames": 3, "side": 32, "max_tokens": 12}
    stages = {
        "retriever": MemberConfig("random"),
        "assistant": MemberConfig("local_mllm", small | {"checkpoint": str(saying)}),
        "localiser": MemberConfig("whole_video"),
    }
    baseline, _ = load(find("two_stage"), (), stages)
    baseline.prepare(viewed())
    chosen, found = baseline.answer([video(candidates=()), moment(history=EARLIER)])
    alone, _ = load(find("random"))
    alone.prepare(viewed())
    (ranking,) = alone.answer([video(candidates=())])
    assert chosen.videos == (ranking.videos[3], *ranking.videos[:3])
    assert (found.moments, found.response) == ((Moment(DOG, 0, 20_000),), "video 4")


def test_as_many_tokens_stand_for_a_picture_as_the_model_expects(qwen):
    processor = load_processor(qwen)
    pictures = [Image.new("RGB", size) for size in ((64, 32), (48, 48))]
    parts = [{"type": "image", "image": picture} for picture in pictures]
    told = processor.apply_chat_template(
        [{"role": "user", "content": parts}], tokenize=True, return_dict=True, return_tensors="pt"
    )
    # Patches of 8 pixels, merged two by two; sides are multiples of 16.
    assert told["image_grid_thw"].tolist() == [[1, 4, 8], [1, 6, 6]]
    assert int((told["input_ids"] == processor.image_token_id).sum()) == 2 * 4 + 3 * 3


@pytest.mark.parametrize(
    ("setting", "expected"),
    [("batch=0", "batch: expected"), ("moment_frames=-1", "moment_frames: expected 0 or more")],
)
def test_a_wrong_setting_is_refused(setting, expected):
    with pytest.raises(WrongUsageError, match=expected):
        load(find("local_mllm"), [setting])


def test_a_checkpoint_that_is_absent_damaged_or_of_another_kind_is_refused(local, random, tmp_path):
    with pytest.raises(EnvironmentFailure, match="neither a folder nor a checkpoint"):
        local(tmp_path / "none")
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in random.iterdir():
        data = path.read_bytes()
        (broken / path.name).write_bytes(data[: len(data) // 2] if "model" in path.name else data)
    with pytest.raises(EnvironmentFailure, match="cannot be loaded"):
        local(broken)
    with pytest.raises(EnvironmentFailure, match="cannot be loaded"):
        local(tiny.clip(tmp_path / "clip"))


@pytest.fixture(scope="module")
def served(random, tmp_path_factory):
    """The same checkpoint behind `transformers serve`; gives its address."""
    pytest.importorskip("fastapi")
    pytest.importorskip("uvicorn")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("serve") / "log"
    program = [Path(sys.executable).with_name("transformers"), "serve", random,
               "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]  # fmt: skip
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with log.open("wb") as stream:
        process = subprocess.Popen(program, stdout=stream, stderr=stream, env=environment)
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", process, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait_for(url, process, log, seconds=240):
    for _ in range(10 * seconds):
        assert process.poll() is None, log.read_text("utf-8", "replace")
        try:
            if httpx2.get(url, trust_env=False).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(log.read_text("utf-8", "replace"))


@pytest.mark.slow
def test_behind_transformers_serve_the_checkpoint_says_the_same(served, endpoint, local, random):
    asked = endpoint(f"url={served}", f"model={random}", "structured=off", "max_tokens=12",
                     "concurrency=4")  # fmt: skip
    here, there = local(random).answer(QUERIES), asked.answer(QUERIES)
    assert said(there) == said(here)
    for one, other in zip(there, here, strict=True):
        assert one.usage["requests"] == other.usage["requests"]
        cut = "replies cut off at the limit"
        assert one.usage[cut] == other.usage[cut] == one.usage["requests"]
        for name in ("prompt_tokens", "completion_tokens"):
            # Random weights never end a reply: the server is asked for each one twice.
            assert one.usage[name] == 2 * other.usage[name]


@pytest.mark.slow
def test_a_server_that_passes_over_the_schema_is_read_as_a_person_would(served, endpoint, random):
    asked = endpoint(f"url={served}", f"model={random}", "max_tokens=4")
    (answer,) = asked.answer([video()])
    assert answer.usage["unanswered: cut off at the limit"] == 1
