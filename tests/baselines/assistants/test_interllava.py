"""InterLLaVA trains and answers: the tiny configuration, and the published one from tiny files."""

import json
import re
import shutil

import pytest
import torch
from msgspec.structs import replace
from safetensors.torch import load_file

from baselines.base import Exchange, Query, TrainerConfig, View
from baselines.interllava import training
from baselines.interllava.published.published_training import load_model
from baselines.interllava.settings import InterLLaVASettings
from baselines.registry import find, load
from baselines.running.runner import RunConfig, start
from baselines.training.trainer import TrainJob, train
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.records import Moment
from tests.baselines.conftest import CAT, COOK, DOG, FOX, imported
from tests.baselines.interllava import layout


@pytest.fixture
def prepared(viewed, ready):
    """A prepared tiny interllava, trained for some steps."""

    def make(*settings, view=None):
        baseline, _ = load(find("interllava"), [*ready("interllava"), *settings])
        baseline.prepare(view or viewed())
        return baseline

    return make


@pytest.fixture
def replies(monkeypatch):
    """Put replies in place of the network's; gives the calls: network, tokenizer, batch."""

    def put(*texts):
        calls, left = [], iter(texts)

        def reply(*call):
            calls.append(call)
            return [next(left)]

        monkeypatch.setattr(training, "generate_replies", reply)
        return calls

    return put


def video(candidates=(CAT, DOG, FOX, COOK), **more):
    return Query("d", 1, "en", "video", "the dog", candidates=candidates, **more)


def moment(video_id=COOK, **more):
    return Query("d", 2, "en", "moment", "when?", candidates=(CAT, DOG), video_id=video_id, **more)


CHAT = Query("d", 3, "en", "chat", "hello")


# The tiny configuration.


def test_a_reply_names_a_candidate_or_a_time(prepared):
    choice, grounded, chat = prepared().answer([video(), moment(), CHAT])
    assert sorted(choice.choice or ()) in ([], sorted((CAT, DOG, FOX, COOK)))
    assert choice.usage["requests"] == grounded.usage["requests"] == 1
    assert all(each.video_id == COOK for each in grounded.moments)
    assert chat.response is not None


def test_replies_become_answers(prepared, replies):
    baseline = prepared()
    replies("It is video 3.", "It is at 3.0s-7.4s.", "No idea.")
    choice, grounded = baseline.answer([video(), moment()])
    assert choice.choice == choice.videos == (FOX, CAT, DOG, COOK)
    assert choice.response == "It is video 3."
    assert grounded.moments == (Moment(COOK, 3_000, 7_400),)
    [unread] = baseline.answer([video()])
    assert unread.choice == ()
    assert any(name.startswith("abstained") for name in unread.usage)


def test_videos_change_the_network_s_input_but_no_words(prepared, replies):
    """Permuted videos: the words of the prompt are the same, the video tokens are not."""
    baselines = [prepared(), prepared("control=videos_permuted")]
    calls = replies("video 1", "video 1")
    for baseline in baselines:
        baseline.answer([video()])
    (network, _, plain), (_, _, permuted) = calls
    assert torch.equal(plain.tokens.ids, permuted.tokens.ids)
    assert sorted(plain.visual.contents.sum((1, 2)).tolist()) == pytest.approx(
        sorted(permuted.visual.contents.sum((1, 2)).tolist()), rel=1e-4
    )
    with torch.no_grad():
        tokens = [network.encode_frames(batch) for batch in (plain, permuted)]
    assert not torch.allclose(*tokens, atol=1e-3)


def test_unreadable_candidates_are_left_out_and_the_others_keep_their_numbers(
    prepared, replies, toy
):
    videos = {**toy.videos, DOG: replace(toy.videos[DOG], path="videos/gone.mp4")}
    corpus = toy.split("test").corpus
    baseline = prepared(view=View(videos, corpus, toy.folder, "own", 0))
    calls = replies("It is video 3.")
    [answer] = baseline.answer([video()])
    [(_, tokenizer, batch)] = calls
    numbers = re.findall(r"\d+", tokenizer.decode(batch.tokens.ids[0].tolist()))
    assert numbers == ["1", "3", "4"]
    assert batch.visual.counts == [3]
    assert answer.choice[0] == FOX
    unreadable = baseline.answer([video((DOG,)), moment(DOG)])
    assert [each.usage["abstained: no video to look into"] for each in unreadable] == [1, 1]


def test_its_explanation_names_the_moment_that_was_given(prepared, replies):
    history = (Exchange("video", "a cook", "It is video 1.", COOK, ()),)
    baseline = prepared()
    replies("It is at 1.0s-2.0s, I think.")
    [answer] = baseline.explain([(moment(history=history), Moment(COOK, 3_000, 7_500))])
    assert answer.response == "It is at 3.0s-7.5s, I think."


def test_a_folder_that_names_no_reader_gives_the_same_answers(prepared, ready, viewed, tmp_path):
    """Folders from before there were readers hold none of the settings that came with them."""
    [given] = [each for each in ready("interllava") if each.startswith("checkpoint=")]
    shutil.copytree(given.partition("=")[2], tmp_path / "old")
    file = tmp_path / "old" / "checkpoint.json"
    document = json.loads(file.read_text("utf-8"))
    for name in ("reader", "features", "text", "text_revision", "ranks"):
        del document["settings"][name]
    file.write_text(json.dumps(document), "utf-8")
    old, _ = load(find("interllava"), ["config=tiny", f"checkpoint={tmp_path / 'old'}"])
    old.prepare(viewed())
    asked = [video(), moment(), CHAT]
    assert old.answer(asked) == prepared().answer(asked)
    assert old.provenance().annotations == "annotated events"


def test_training_starts_from_a_dual_encoder(toy, tmp_path):
    given = ("config=tiny", "reader=events")
    job = TrainJob(find("interllava"), given, TrainerConfig(tmp_path / "out"))
    with pytest.raises(WrongUsageError, match="train one with `ivcr baseline train dual_encoder"):
        train(job, toy)
    assert not (tmp_path / "out").exists(), "the same folder can be named again"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("weight=-1", "weight: expected 0 or more, got -1"),
        ("frames=65", "frames: expected 1 to 64, got 65"),
        ("moment_frames=0", "moment_frames: expected 1 to 64, got 0"),
    ],
)
def test_settings_out_of_range_are_refused(setting, message):
    with pytest.raises(WrongUsageError, match=message):
        load(find("interllava"), [setting])


def test_a_card_says_what_the_tiny_one_passes_on(toy, ready):
    made = start(RunConfig(find("interllava"), "none", tuple(ready("interllava"))), toy)
    assert "passes on, in words, the ranking of the dual encoder" in made.card.description


# The published configuration, from tiny files of the published layout.


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
    folder = tmp_path_factory.mktemp("full")
    config = TrainerConfig(folder / "out", steps=3)
    train(TrainJob(find("interllava"), tuple(full(files)), config), imported(folder, filmed=True))
    return config.out


def test_it_runs_as_published_and_as_trained(files, trained, viewed):
    responses = []
    for more in ((), (f"checkpoint={trained}",), (f"checkpoint={trained}",)):
        baseline, _ = load(find("interllava"), full(files, *more))
        baseline.prepare(viewed())
        answers = baseline.answer([video(), moment(), CHAT])
        responses.append([answer.response for answer in answers])
        provenance = baseline.provenance()
    assert responses[1] == responses[2]
    assert responses[0] != responses[1]
    assert provenance.frames_per_video == "2 of a candidate, 40 for moments"
    assert provenance.training_data == ("pre-training of the published files", "toy train")
    assert provenance.details["files"].startswith("sha256:")


def test_the_folder_holds_all_trained_weights_and_no_published_ones(files, trained):
    saved = load_file(trained / "weights.safetensors")
    model, _ = load_model(InterLLaVASettings(files=str(files), dtype="float32"))
    published = model.net.state_dict()
    assert {name for name in saved if not name.startswith("language.")} == {
        name for name in published if name.startswith("tokens.")
    }
    adapters = {name for name in published if "lora_" in name or "trainable_tokens" in name}
    assert {name for name in saved if name.startswith("language.")} == adapters
    changed = {name for name in adapters if not torch.equal(saved[name], published[name])}
    assert any("lora_A" in name for name in changed)
    assert any("lora_B" in name for name in changed)


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
    with pytest.raises(WrongUsageError, match='config="full"'):
        baseline.prepare(viewed())
