"""InterLLaVA learns, answers and is controlled: the tiny configuration, and the whole one, tiny."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from baselines.base import Exchange, Query, TrainerConfig
from baselines.event_models.matching import ROLES
from baselines.interllava import prompts, tokenizer
from baselines.interllava.queries import Question
from baselines.interllava.tiny import tiny_system
from baselines.interllava.tiny.tiny_model import FACTS, FORM, FRAMES, Sight, TinyNet, _times
from baselines.interllava.tiny.tiny_training import numbered, timed
from baselines.interllava.training import Batch, LossConfig, Teaching, replies, right
from baselines.registry import find, load
from baselines.running.runner import RunConfig, start
from baselines.training.batches import StepBatches
from baselines.training.fit import fit
from baselines.training.trainer import TrainJob, train
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.records import Moment
from tests.baselines.conftest import CAT, COOK, DOG, FOX
from tests.baselines.interllava import layout

VALUES = 4


@pytest.fixture
def opened(viewed, ready):
    """A prepared tiny interllava, trained for some steps."""

    def make(*settings, history="own"):
        baseline, _ = load(find("interllava"), [*ready("interllava"), *settings])
        baseline.prepare(viewed(history))
        return baseline

    return make


def video(utterance="the dog", **more):
    return Query("d", 1, "en", "video", utterance, candidates=(CAT, DOG, FOX, COOK), **more)


def moment(video_id=COOK, **more):
    return Query("d", 2, "en", "moment", "when?", candidates=(CAT, DOG), video_id=video_id, **more)


# A network by itself, on eight dialogues.


@dataclass
class Dialogues:
    """Eight dialogues of a video turn among three candidates and a moment turn, seen at random."""

    words: tokenizer.Words
    videos: Batch
    moments: Batch
    asked: list[Batch]
    gold: list[list]


def eight():
    texts = [f"{shape} {number}" for shape in ("ball", "star", "cross", "heart") for number in "ab"]
    answers = ["It is video 2.", "It is at 1.0s-2.0s."]
    tokens = tokenizer.vocabulary([*texts, *answers, prompts.FIXED] * 2, 12_000)
    known = tokenizer.small(tokens)
    golds = [at % 3 + 1 for at in range(8)]
    spans = [(at, at + 3 + at % 2) for at in range(8)]  # seconds of 12
    drawn = torch.Generator().manual_seed(0)

    def sight(videos, frames, agreements, facts, marks):
        ids = torch.tensor([[known.told(prompts.SAMPLED.format(time=at)).ids
                             for at in _times(12_000, frames)]] * videos)  # fmt: skip
        parts = (torch.randn(videos, frames, n, generator=drawn)
                 for n in (VALUES, agreements, facts))  # fmt: skip
        return Sight(*parts, ids, torch.ones_like(ids), [3] * 8 if videos == 24 else [1] * 8, marks)

    def rows(texts, make, each, answers):
        return [
            prompts.row(known, make(Query("d", 1, "en", "video", text)), each, answer)
            for text, answer in zip(texts, answers, strict=True)
        ]

    number_words = [[known.token(str(n))] * FORM.tokens(FRAMES) for n in (1, 2, 3)]
    steps = sight(8, 48, 64, 11, timed([np.array(s, np.float32) / 12 for s in spans]))
    time_words = [[known.token(word) for word in _times(12_000, 48)]]
    kinds = {
        "video": (lambda q: prompts.choosing(q, (1, 2, 3)), number_words,
                  [prompts.retold(answers[0], n) for n in golds],
                  sight(24, FRAMES, ROLES, FACTS, numbered([(n, 3) for n in golds]))),
        "moment": (lambda q: prompts.grounding(q, 1), time_words,
                   [prompts.retold(answers[1], span=s) for s in spans], steps),
    }  # fmt: skip
    learnt, asked = [], []
    for kind, (make, each, told, seen) in kinds.items():
        with_answers = rows(texts, make, each, told)
        spelt = [row.spelt for row in with_answers]
        learnt.append(Batch(kind, prompts.rows(with_answers, known.end), seen, spelt))
        without = prompts.rows(rows(texts, make, each, [None] * 8), known.end)
        asked.append(Batch(kind, without, seen, []))
    ms = [(1000 * start, 1000 * end) for start, end in spans]
    return Dialogues(known, *learnt, asked, [golds, ms])


def test_eight_dialogues_are_learnt_by_heart(tmp_path):
    """Training accuracy 1, of numbers and of spans, by what is generated."""
    told = eight()
    torch.manual_seed(0)
    network = TinyNet(VALUES, told.words)
    module = Teaching(network, told.words, LossConfig("spelt", 0.01, 1.5e-3, 0.0))
    both = [told.videos, told.moments]
    batches = StepBatches(lambda step, drawn: [both[step % 2]], lambda rows: rows[0], seed=0)
    fit(module, batches.loader(), TrainerConfig(tmp_path), stage="s", steps=130, note=str)
    network.eval()
    for asked, gold in zip(told.asked, told.gold, strict=True):
        said = replies(network, told.words, asked)
        assert [right(asked.kind, text, one) for text, one in zip(said, gold, strict=True)] == (
            [True] * 8
        ), said


def test_the_published_losses_leave_the_gradient_as_it_is():
    told = eight()
    grads = {}
    for form in ("words", "argmax", "spelt"):
        torch.manual_seed(0)
        network = TinyNet(VALUES, told.words).eval()
        module = Teaching(network, told.words, LossConfig(form, 0.5, 1e-3, 0.0))
        module.training_step(told.videos, 0).backward()
        grads[form] = network.net.language.get_input_embeddings().weight.grad.clone()
    assert torch.equal(grads["words"], grads["argmax"])
    assert not torch.allclose(grads["words"], grads["spelt"])


# The tiny configuration.


def test_a_reply_names_a_candidate_or_a_time(opened):
    baseline = opened()
    chosen, found, talked = baseline.answer(
        [video(), moment(), Query("d", 3, "en", "chat", "hello")]
    )
    assert sorted(chosen.choice or ()) in ([], sorted((CAT, DOG, FOX, COOK)))
    assert chosen.usage["requests"] == found.usage["requests"] == 1
    assert all(each.video_id == COOK for each in found.moments)
    assert talked.response is not None


def test_what_it_says_is_read(opened, monkeypatch):
    said = iter(["It is video 3.", "It is at 3.0s-7.4s.", "No idea."])
    baseline = opened()
    monkeypatch.setattr(tiny_system, "replies", lambda *_: [next(said)])
    chosen, found = baseline.answer([video(), moment()])
    assert chosen.choice == chosen.videos == (FOX, CAT, DOG, COOK)
    assert chosen.response == "It is video 3."
    assert found.moments == (Moment(COOK, 3_000, 7_400),)
    [unread] = baseline.answer([video()])
    assert unread.choice == ()
    assert any(name.startswith("abstained") for name in unread.usage)


def test_what_is_seen_changes_what_is_read(opened):
    """The network's tokens, not the words around them, tell one video from another."""
    system = opened()._system
    permuted = opened("control=videos_permuted")._system
    asked = Question("video", video(), None)
    plain, other = (each._collate([each._example(asked)]) for each in (system, permuted))
    assert torch.equal(plain.rows.ids, other.rows.ids)
    assert not torch.equal(plain.sight.shows, other.sight.shows)
    network = system._whole.tiny
    with torch.no_grad():
        assert not torch.allclose(network.looked(plain), network.looked(other), atol=1e-3)


def test_videos_that_cannot_be_read_are_left_out_and_numbers_stay(opened):
    system = opened()._system
    del system._clips[DOG]
    example = system._example(Question("video", video(), None))
    assert example.numbers == (1, 3, 4)
    assert len(example.candidates) == 3
    for name in (CAT, FOX, COOK):
        del system._clips[name]
    [reply] = system.ask([Question("video", video(), None)])
    assert reply.why == "no video to look into"
    [reply] = system.ask([Question("moment", moment(), "gone.mp4")])
    assert reply.why == "no video to look into"


def test_its_explanation_names_the_moment_that_was_found(opened):
    history = (Exchange("video", "a cook", "It is video 1.", COOK, ()),)
    baseline = opened()
    baseline._assistant.explain = lambda told: [
        type(baseline.answer([video()])[0])(response="It is at 1.0s-2.0s, I think.")
    ]
    [said] = baseline.explain([(moment(history=history), Moment(COOK, 3_000, 7_500))])
    assert said.response == "It is at 3.0s-7.5s, I think."


def test_it_begins_with_a_dual_encoder(toy, tmp_path):
    with pytest.raises(WrongUsageError, match="train one with `ivcr baseline train dual_encoder"):
        train(TrainJob(find("interllava"), ("config=tiny",), TrainerConfig(tmp_path / "out")), toy)
    assert not (tmp_path / "out").exists(), "what was refused can be told again"
    with pytest.raises(WrongUsageError, match="weight: expected 0 or more"):
        load(find("interllava"), ["weight=-1"])
    with pytest.raises(WrongUsageError, match="frames: expected 1 to 64"):
        load(find("interllava"), ["frames=65"])


# The whole configuration, from tiny files of the published layout.


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    place = tmp_path_factory.mktemp("published") / "files"
    layout.folder(place)
    return place


def full(files, *more):
    small = ["frames=2", "moment_frames=40", "dtype=float32"]
    return [f"files={files}", *small, *more]


@pytest.fixture(scope="module")
def trained(files, tmp_path_factory):
    from tests.baselines.conftest import imported

    folder = tmp_path_factory.mktemp("full")
    out = folder / "out"
    config = TrainerConfig(out, steps=3)
    train(TrainJob(find("interllava"), tuple(full(files)), config), imported(folder, filmed=True))
    return out


def test_it_runs_as_published_and_as_trained(files, trained, viewed):
    said = []
    for more in ((), (f"checkpoint={trained}",), (f"checkpoint={trained}",)):
        baseline, _ = load(find("interllava"), full(files, *more))
        baseline.prepare(viewed())
        answers = baseline.answer([video(), moment(), Query("d", 3, "en", "chat", "hello")])
        said.append([answer.response for answer in answers])
        told = baseline.provenance()
    assert said[1] == said[2]
    assert said[0] != said[1]
    assert told.frames_per_video == "2 of a candidate, 40 for moments"
    assert told.training_data == ("pre-training of the published files", "toy train")
    assert told.details["files"].startswith("sha256:")


def test_what_was_learnt_is_kept_without_what_was_published(trained):
    from safetensors.torch import load_file

    kept = load_file(trained / "weights.safetensors")
    assert {name.split(".")[0] for name in kept} == {"tokens", "language"}
    assert all("lora_" in name or "trainable_tokens" in name
               for name in kept if name.startswith("language."))  # fmt: skip


def test_a_folder_of_other_files_is_refused(trained, tmp_path, viewed):
    layout.folder(tmp_path / "files", seed=9)
    baseline, _ = load(find("interllava"), full(tmp_path / "files", f"checkpoint={trained}"))
    with pytest.raises(WrongUsageError, match="was not trained from these published files"):
        baseline.prepare(viewed())


def test_files_are_named_and_there(tmp_path, viewed):
    baseline, _ = load(find("interllava"))
    with pytest.raises(WrongUsageError, match=r"files=FOLDER.*config=tiny"):
        baseline.prepare(viewed())
    baseline, _ = load(find("interllava"), full(tmp_path / "none"))
    with pytest.raises(EnvironmentFailure):
        baseline.prepare(viewed())


def test_a_trained_folder_of_the_other_configuration_is_refused(trained, viewed):
    baseline, _ = load(find("interllava"), ["config=tiny", f"checkpoint={trained}"])
    with pytest.raises(WrongUsageError, match="config=full"):
        baseline.prepare(viewed())


def test_a_card_says_what_the_tiny_one_begins_with(toy, ready):
    made = start(RunConfig(find("interllava"), "none", tuple(ready("interllava"))), toy)
    assert "passes on, in words, the ranking of the dual encoder" in made.card.description
