"""environment.json: what is kept of a command, and that no hash covers any of it."""

import json

import pytest

from baselines.provenance.environment import REMOVED, circumstances, plain_words
from baselines.registry import find
from baselines.running.provenance import run_key
from baselines.running.run import run_baseline
from baselines.running.run_config import RunConfig, RunContext
from baselines.running.runner import start


@pytest.mark.parametrize(
    ("word", "kept"),
    [
        ("--history", "--history"),
        ("/home/me/sub/mission", "mission"),
        ("../mini", "mini"),
        ("checkpoint=/home/me/dual encoder", "checkpoint=dual encoder"),
        ("--out=/home/me/sub", "--out=sub"),
        ("url=https://me:word@host/v1", f"url={REMOVED}"),
        ("https://host/v1", REMOVED),
        ("key=MY_KEY", f"key={REMOVED}"),
        ("api_token=abc", f"api_token={REMOVED}"),
        ("model=sk-abcdefghijklmnop", f"model={REMOVED}"),
        ("note=hf_abcdefghijklmnop", f"note={REMOVED}"),
        ("note=the secret of mine", f"note={REMOVED}"),
        ("model=qwen", "model=qwen"),
    ],
)
def test_of_a_word_folders_addresses_and_secrets_go(word, kept):
    variables = {"MY_API_KEY": "the secret of mine", "SHORT_KEY": "qwen", "HOME": "mission"}
    assert plain_words([word], variables) == [kept]


def test_the_word_behind_an_option_for_a_secret_goes():
    assert plain_words(["--password", "abc", "--seed", "1"], {}) == [
        "--password", REMOVED, "--seed", "1",
    ]  # fmt: skip


def test_a_run_writes_it_with_the_words_of_its_command(toy, tmp_path):
    context = RunContext(argv=("baseline", "run", "random", "--out", str(tmp_path / "sub")))
    run_baseline(RunConfig(find("random"), "own"), toy, tmp_path / "sub", context=context)
    found = json.loads((tmp_path / "sub" / "environment.json").read_text("utf-8"))
    assert found["argv"] == ["baseline", "run", "random", "--out", "sub"]
    assert (found["engine"], found["workers"]) == ("local", 1)
    assert str(tmp_path) not in json.dumps(found)
    assert circumstances(None, 1, 0.0)["argv"] is None


def test_the_key_of_a_run_covers_what_answers_depend_on_and_not_the_commit(toy):
    run = start(RunConfig(find("bm25"), "own", threads=2), toy)
    order = {"processes": 1}
    key = run_key(run.card, run.record, order)
    for name, value in (("commit", "0" * 40), ("changed", True)):
        assert run_key(run.card, run.record | {name: value}, order) == key
    for name, value in (
        ("threads", 3),
        ("device", "cuda"),
        ("versions", run.record["versions"] | {"numpy": "1.0"}),
        ("code_sha256", "0" * 64),
        ("settings", {}),
    ):
        assert run_key(run.card, run.record | {name: value}, order) != key
