"""The stages of two_stage, each as it answers alone, and how its errors go on."""

import json
import re

import pytest

from baselines.assistants import two_stage
from baselines.base import Exchange, MemberConfig, Query
from baselines.registry import find, load
from baselines.running.runner import RunConfig, start
from harness.errors import WrongUsageError
from harness.records import Moment
from tests.baselines.assistants.test_endpoint import EARLIER, says, told
from tests.baselines.conftest import CAT, COOK, DOG, FOX
from tests.chat.servers import completion


def video(utterance="a dog on a beach", history=()):
    return Query("d", 1 + len(history), "en", "video", utterance, (), None, history)


def moment(utterance="when does it start?", history=(), video_id=None):
    return Query("d", 2, "en", "moment", utterance, (), video_id, history)


def endpoint(**settings):
    """The settings of a two_stage with an endpoint."""
    small = {"frames": 2, "moment_frames": 3, "side": 32, "model": "toy"}
    return {"assistant": MemberConfig("endpoint", small | settings)}


LOCALISER = {"localiser": MemberConfig("whole_video")}
RANDOM = {"retriever": MemberConfig("random")}


@pytest.fixture
def assistant(server):
    """The assistant that the test's server is."""
    return endpoint(url=server.url, concurrency=1)


@pytest.fixture
def stages(viewed):
    """A prepared two_stage."""

    def make(values={}):  # noqa: B006 - only read
        baseline, _ = load(find("two_stage"), (), values)
        baseline.prepare(viewed())
        return baseline

    return make


@pytest.fixture
def ranking(viewed):
    """What BM25 alone says."""
    baseline, _ = load(find("bm25"))
    baseline.prepare(viewed())
    return lambda query: baseline.answer([query])[0].videos


def always_the_cook(handler, body, number):
    """Chooses the video of the cook, and one span in any."""
    line = re.search(r'Candidate (\d+): "a man cooks', told(body)[0])
    videos = {"videos": [int(line[1])], "reply": "the cook"} if line else {}
    handler.say(completion(json.dumps(videos or {"start": 2.5, "end": 7.5, "reply": "then"})))


ASKS_ALL = "a cat, a dog, a fox, a man"


def test_the_choice_stands_first_and_then_the_retrievers_order(server, stages, assistant, ranking):
    first = ranking(video(ASKS_ALL))
    assert len(first) == 4
    says(server, '{"videos": [3], "reply": "It is video 3."}')
    (answer,) = stages(assistant).answer([video(ASKS_ALL)])
    assert answer.videos == (first[2], first[0], first[1], first[3])
    assert (answer.choice, answer.response) == (None, "It is video 3.")
    text, pictures = told(server.asked[0])
    assert pictures == 4
    words = {CAT: "a cat", DOG: "a dog", FOX: "a fox", COOK: "a man"}
    numbers = [text.index(f'"{words[video_id]}') for video_id in first]
    assert numbers == sorted(numbers), "candidates are numbered in the retriever's order"


def test_an_assistant_that_abstains_changes_nothing(server, stages, assistant, ranking):
    says(server, "I cannot tell.")
    (answer,) = stages(assistant).answer([video(ASKS_ALL)])
    assert answer.videos == ranking(video(ASKS_ALL))
    assert answer.usage["abstained: says that nothing matches"] == 1


def test_a_reordering_is_taken_over(server, stages, assistant, ranking):
    first = ranking(video(ASKS_ALL))
    says(server, '{"videos": [4, 2, 1, 3], "reply": ""}')
    (answer,) = stages(assistant).answer([video(ASKS_ALL)])
    assert answer.videos == tuple(first[at] for at in (3, 1, 0, 2))


def test_ten_candidates_at_most(server, stages, assistant, viewed, monkeypatch):
    monkeypatch.setattr(two_stage, "CANDIDATES", 2)
    (answer,) = stages(RANDOM | assistant).answer([video()])
    assert told(server.asked[0])[1] == 2
    assert len(answer.videos) == 4


def test_without_an_assistant_the_retriever_answers_and_says_so(stages, ranking):
    answers = stages().answer(
        [video(), moment(history=EARLIER), Query("d", 1, "zh", "chat", "你好")]
    )
    assert answers[0].videos == ranking(video())
    assert answers[0].response == "It is video 1."
    assert answers[1].moments is None
    assert answers[2].response == ""


def test_the_assistant_grounds_in_what_it_has_chosen(server, stages, assistant, ranking):
    query = moment("in the video where a man cooks or a dog runs, when?")
    second = ranking(video(query.utterance))[1]
    says(server, '{"videos": [2], "reply": ""}', '{"start": 1, "end": 2, "reply": "there"}')
    (answer,) = stages(assistant).answer([query])
    assert answer.moments == (Moment(second, 1000, 2000),)
    assert (answer.response, answer.usage["requests"]) == ("there", 2)


def test_a_moment_of_the_video_in_focus_needs_no_choice(server, stages, assistant):
    says(server, '{"start": 1, "end": 2, "reply": "there"}')
    (answer,) = stages(assistant).answer([moment(history=EARLIER)])
    assert answer.moments == (Moment(DOG, 1000, 2000),)
    assert len(server.asked) == 1


def test_a_localiser_grounds_and_the_assistant_explains(server, stages, assistant, ranking):
    query = moment("in the video where a man cooks or a dog runs, when?")
    second = ranking(video(query.utterance))[1]
    says(server, '{"videos": [2], "reply": "chosen"}', "because of the pan")
    baseline = stages(assistant | LOCALISER)
    (answer,) = baseline.answer([query])
    assert [found.video_id for found in answer.moments] == [second]
    assert (answer.response, answer.usage["requests"]) == ("because of the pan", 2)
    text, _ = told(server.asked[1])
    end = {DOG: "20.0 s", COOK: "40.0 s"}[second]
    assert f"from 0.0 s to {end}" in text
    says(server, "in short")
    (answer,) = baseline.answer([moment(history=EARLIER)])
    assert (answer.moments, answer.response) == ((Moment(DOG, 0, 20_000),), "in short")


def test_a_localiser_without_an_assistant_gets_the_retrievers_best(stages):
    (answer,) = stages(LOCALISER).answer([moment("a man cooks rice")])
    assert answer.moments == (Moment(COOK, 0, 40_000),)
    assert answer.response == "It is from 0.0 s to 40.0 s."


def test_what_a_localiser_cannot_find_is_not_explained(server, stages, assistant):
    history = (Exchange("video", "a fox", "", FOX, ()),)  # of unknown duration
    (answer,) = stages(assistant | LOCALISER).answer([moment(history=history)])
    assert (answer.moments, answer.response, server.asked) == ((), "", [])


def test_own_errors_go_on_and_reference_history_ends_them(server, toy, assistant):
    server.act = always_the_cook
    own, reference = (
        [*start(RunConfig(find("two_stage"), history, settings=RANDOM | assistant), toy)
         .predictions()]
        for history in ("own", "reference")
    )  # fmt: skip
    assert own[0].videos[0] == reference[0].videos[0] == COOK
    assert own[1].moments == (Moment(COOK, 2500, 7500),)
    assert reference[1].moments == (Moment(CAT, 2500, 7500),)


def test_the_card_names_the_stages_and_no_address(server, toy):
    def run(**settings):
        values = endpoint(url=server.url, **settings)
        return start(RunConfig(find("two_stage"), "own", settings=values), toy)

    made = run()
    assert made.card.system == "two_stage"
    assert made.card.settings == {
        "assistant.baseline": "endpoint",
        "assistant.settings.frames": 2,
        "assistant.settings.moment_frames": 3,
        "assistant.settings.side": 32,
        "assistant.settings.model": "toy",
    }
    assert made.card.variant == "assistant endpoint (frames=2, moment_frames=3, side=32, mod…"
    assert "127.0.0.1" not in json.dumps(made.record)
    small = {"frames": 2, "moment_frames": 3, "side": 32, "model": "toy"}
    assert made.record["settings"]["assistant"] == {
        "baseline": "endpoint", "settings": small, "weight": 1.0,
    }  # fmt: skip
    elsewhere = run(concurrency=2, budget_tokens=5)
    assert elsewhere.key(1) == made.key(1), "a run can go on with another address and budget"
    assert run(frames=1).key(1) != made.key(1)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            {"assistant": MemberConfig("bm25")},
            "bm25 explains nothing; expected endpoint, local_mllm, interllava or no assistant",
        ),
        ({"assistant": MemberConfig("two_stage")}, "two_stage explains nothing"),
        ({"assistant": MemberConfig("endpoint", {"modl": "x"})}, "did you mean model"),
        ({"assistant": MemberConfig("nobody")}, "assistant: no baseline"),
    ],
)
def test_a_stage_that_is_none_is_refused(values, expected):
    with pytest.raises(WrongUsageError, match=expected):
        load(find("two_stage"), (), values)
