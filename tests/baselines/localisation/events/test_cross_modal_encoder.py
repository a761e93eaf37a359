"""The grounder's weights, those of folders from before their names changed too."""

from pathlib import Path

import pytest
import torch

from baselines.localisation.events.cross_modal_encoder import Grounder
from baselines.localisers.tan2d import SpanMap
from baselines.registry import find, load
from baselines.training import checkpoints


def by_old_names(weights):
    """Weights by the names that folders of earlier versions give them."""
    return {
        key.replace("encoder.modulation.", "reader.gist.").replace("encoder.", "reader."): weight
        for key, weight in weights.items()
    }


@pytest.mark.parametrize("prefix", ["", "grounder."])
def test_weights_by_their_old_names_are_loaded(prefix):
    torch.manual_seed(1)
    trained, fresh = Grounder(5, 3, SpanMap()), Grounder(5, 3, SpanMap())
    old = by_old_names({prefix + key: weight for key, weight in trained.state_dict().items()})
    whole = torch.nn.ModuleDict({"grounder": fresh}) if prefix else fresh
    whole.load_state_dict(old)
    weights = fresh.state_dict()
    assert all(torch.equal(weights[key], weight) for key, weight in trained.state_dict().items())
    assert any(key.startswith(f"{prefix}reader.") for key in old), "the given weights stay as named"


def test_a_weight_that_is_missing_is_refused():
    old = by_old_names(Grounder(5, 3, SpanMap()).state_dict())
    del old["reader.gist.weight"]
    with pytest.raises(RuntimeError, match=r"Missing key.*encoder\.modulation\.weight"):
        Grounder(5, 3, SpanMap()).load_state_dict(old)


def test_a_folder_of_an_earlier_version_gives_the_same_answers(toy, said, by_events, tmp_path):
    [setting] = by_events("tan2d")
    folder = setting.partition("=")[2]
    new = checkpoints.load(Path(folder), baseline="tan2d")
    old = by_old_names(new.weights)
    assert {"reader.gist.weight", "reader.text.gates.bias", "head.score.weight"} <= old.keys()
    _, settings = load(find("tan2d"), ["size=small", "reader=events"])
    checkpoints.save(
        tmp_path / "old", baseline="tan2d", settings=settings, weights=old, facts=new.facts
    )
    answers = said("tan2d", toy, "reference", f"checkpoint={tmp_path / 'old'}")
    assert answers == said("tan2d", toy, "reference", setting)
    assert any(turn.moments for dialogue in answers for turn in dialogue)
