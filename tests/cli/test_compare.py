"""ivcr compare and ivcr items: formats, exit codes, refusals, the same bytes every time."""

import json
import os
import subprocess
import sys
import unicodedata

import pytest

from tests.comparison.worlds import submit, world

HOSTILE = "find \x1b[31m\u202e\x9b2J \U000e0001 it"


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A benchmark with public and one with hidden labels, and three runs that fit both."""
    folder = tmp_path_factory.mktemp("here")
    dialogues = (1, "v0 v1"), (1, "v2 m3 c v4"), (1, "v5 m6")
    names = {"words": HOSTILE, "name": "toy"}
    toy = world(folder, *dialogues, **names)
    (folder / "secret").mkdir()
    hidden = world(folder / "secret", *dialogues, labels="hidden", **names)
    submit(folder / "one", toy, "10", "1101", "11", history="reference", pair="two")
    submit(folder / "two", toy, "01", "0101", "00", history="own")
    submit(folder / "three", toy, "11", "1-11", "0-")
    broken = submit(folder / "broken", toy, "11", "1111", "00")
    (broken / "card.toml").write_text("schema = 1\n")
    reported = 'schema = 1\nteam = "T"\nsystem = "S"\nhistory = "own"\ncandidates = "unused"\n'
    (folder / "reported").mkdir()
    figures = 'kind = "reported"\nsource = "a table"\nfigures = {"R@1" = 0.25}\n'
    (folder / "reported" / "card.toml").write_text(reported + figures)
    return {"toy": toy.folder, "hidden": hidden.folder} | {
        name: folder / name for name in ("one", "two", "three", "broken", "reported", "absent")
    }


def filled(arguments, here):
    return [argument.format(**here) for argument in arguments.split()]


def test_json_is_one_document_with_all_parts(ivcr, here):
    code, out, err = ivcr(
        *filled("compare {one} {two} {three} --benchmark {toy} --format json", here)
    )
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document["schema"] == 1
    assert [each["label"] for each in document["systems"]] == ["A", "B", "C"]
    assert {each["metric"] for each in document["differences"]} >= {"R@1", "mIoU"}
    assert document["propagation"][0]["own"] == "B"
    assert {(each["first"], each["second"]) for each in document["dialogues"]} == {
        ("A", "B"), ("A", "C"), ("B", "C"),
    }  # fmt: skip
    assert document["dialogues"][0]["seen"][0]["utterance"] == HOSTILE
    assert document["signature"].startswith("ivcr compare|v:")


@pytest.mark.parametrize("form", ["text", "json", "latex"])
@pytest.mark.parametrize("command", ["compare", "items"])
def test_no_format_lets_an_utterance_act_on_the_terminal(ivcr, here, command, form):
    if (command, form) == ("items", "latex"):
        return
    code, out, _ = ivcr(
        *filled(f"{command} {{one}} {{two}} {{three}} --benchmark {{toy}} --format {form}", here)
    )
    assert code == 0
    assert not [c for c in out if unicodedata.category(c)[0] == "C" and c != "\n"]


def test_hidden_labels_show_nothing_of_a_single_turn_in_any_format(ivcr, here):
    for form in ("text", "json", "latex"):
        code, out, _ = ivcr(
            *filled(f"compare {{one}} {{two}} --benchmark {{hidden}} --format {form}", here)
        )
        assert code == 0
        assert "S/0.mp4" not in out
        assert "d00000" not in out
        assert "fewer than 30 turns" in out
    assert json.loads(ivcr(*filled(
        "compare {one} {two} --benchmark {hidden} --format json", here
    ))[1])["dialogues"] is None  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ("compare {one} --benchmark {toy}", 2, "two submissions or more"),
        ("compare --benchmark {toy}", 2, "two submissions or more"),
        ("compare {one} {one} --benchmark {toy}", 2, "named twice"),
        ("compare {one} {two}", 2, "Missing option '--benchmark'"),
        ("compare {one} {two} --benchmark {toy} --format xml", 2, "xml"),
        ("compare {one} {broken} --benchmark {toy}", 1, "not valid, so not compared"),
        ("compare {one} {reported} --benchmark {toy}", 1, "typed figures"),
        ("compare {one} {absent} --benchmark {toy}", 3, "expected a submission's folder"),
        ("compare {one} {two} --benchmark {absent}", 3, "expected a benchmark folder"),
        ("compare {one} {two} --benchmark {toy} --split val", 3, "no split 'val'"),
        ("items --benchmark {toy}", 2, "no submission named"),
        ("items {one} {broken} --benchmark {toy}", 1, "not valid"),
        ("items {one} {two} {three} --benchmark {hidden}", 2, "labels are hidden"),
        ("items {absent} --benchmark {toy}", 3, "expected a submission's folder"),
    ],
)
def test_failures_have_their_exit_code_and_say_why(ivcr, here, arguments, code, says):
    found, out, err = ivcr(*filled(arguments, here))
    assert (found, out) == (code, "")
    assert says in err
    assert "Traceback" not in err


def test_items_print_lists_and_json_holds_them_whole(ivcr, here):
    what = "items {one} {two} {three} --benchmark {toy}"
    code, out, _ = ivcr(*filled(f"{what} --most 0", here))
    assert code == 0
    assert "Turns that no system gets right: 0" in out
    code, out, _ = ivcr(*filled(f"{what} --format json", here))
    document = json.loads(out)
    assert code == 0
    assert {each["task"]: each["turns"] for each in document["tasks"]} == {"video": 5, "moment": 2}
    assert document["suspect"]


@pytest.mark.parametrize("command", ["compare", "items"])
def test_the_same_input_gives_the_same_bytes_under_every_hash_seed(here, command):
    script = "from harness.cli import main; main()"
    what = filled(f"{command} {{one}} {{two}} {{three}} --benchmark {{toy}} --format json", here)
    found = {
        subprocess.run(
            [sys.executable, "-c", script, *what],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(found) == 1
