"""Next steps that messages name: they keep the split, and none of them is bound to fail."""

import json
import shlex

import pytest

from harness.submission import STARTER, write
from tests.baselines.conftest import CAT, SAMPLES, ask, dialogue, imported
from tests.validation.samples import CARD, write_submission

REPORTED = CARD.replace('"predictions"', '"reported"') + 'source = "p"\nfigures = {"R@1" = 0.5}\n'


@pytest.fixture
def toy(tmp_path):
    """A benchmark with a dialogue in val too."""
    of_val = dialogue(ask("a sleeping cat", CAT), split="val")
    return imported(tmp_path, [*SAMPLES, of_val]).folder


@pytest.fixture
def of_val(ivcr, toy, tmp_path):
    """A submission to val."""
    folder = tmp_path / "of val"
    where = ("--benchmark", toy, "--split", "val", "--history", "none", "--out", folder)
    assert ivcr("baseline", "run", "bm25", *where)[0] == 0
    return folder


def next_command(text):
    """The words of the command after the last `ivcr`."""
    return shlex.split(text[text.rindex("ivcr ") :].split("`")[0])[1:]


def test_next_steps_keep_the_split_and_work(ivcr, toy, of_val):
    on_val = ("--benchmark", toy, "--split", "val")
    code, out, _ = ivcr("validate", of_val, *on_val)
    assert code == 0
    score = next_command(out)
    assert score == ["score", str(of_val), "--benchmark", str(toy), "--split", "val"]
    code, _, err = ivcr(*score)
    assert code == 0
    floors = next_command(err)
    assert floors == ["baseline", "run", "--floors", "--benchmark", str(toy), "--split", "val"]
    assert ivcr(*floors)[0] == 0
    assert "no floor" not in ivcr(*score)[2]


def test_a_submission_that_is_not_valid_names_validate_with_the_split(ivcr, toy, of_val):
    (of_val / "predictions.jsonl").write_bytes(b"")
    (of_val / "predictions.jsonl.zst").unlink()
    validate = ["validate", str(of_val), "--benchmark", str(toy), "--split", "val"]
    code, out, _ = ivcr(*validate)
    assert (code, next_command(out)) == (1, validate)
    for command in (["score"], ["compare", of_val]):
        other = write_submission(of_val.parent / "other") if command[0] == "compare" else of_val
        code, _, err = ivcr(*command, other, "--benchmark", toy, "--split", "val")
        assert (code, next_command(err)[0], next_command(err)[2:]) == (1, "validate", validate[2:])


def test_answers_of_another_split_are_told_so_by_every_command(ivcr, toy, of_val):
    code, out, _ = ivcr("validate", of_val, "--benchmark", toy)
    assert code == 1
    assert "lines that answer dialogues of split val, not of test: 1" in out.splitlines()[0]
    assert len(out.splitlines()) == 3
    code, _, err = ivcr("score", of_val, "--benchmark", toy)
    assert (code, "give `--split val`" in err) == (1, True)


def test_a_reported_card_is_not_sent_to_score(ivcr, toy, tmp_path):
    sub = write_submission(tmp_path / "sub", REPORTED)
    (sub / "predictions.jsonl").unlink()
    code, out, _ = ivcr("validate", sub, "--benchmark", toy)
    assert (code, "ivcr score" in out) == (0, False)
    assert "a reported card has no predictions to score" in out


def test_where_labels_are_absent_nobody_is_sent_to_score(ivcr, toy, of_val):
    (toy / "val" / "gold.jsonl").unlink()
    code, out, _ = ivcr("validate", of_val, "--benchmark", toy, "--split", "val")
    assert (code, "ivcr score" in out) == (0, False)
    assert "the labels of split val are not here" in out


def test_floors_that_hidden_labels_forbid_are_not_proposed(ivcr, tmp_path):
    hidden = imported(tmp_path, labels="hidden").folder
    out = tmp_path / "run"
    run = ("baseline", "run", "bm25", "--benchmark", hidden, "--history", "own", "--out", out)
    assert ivcr(*run)[0] == 0
    card = (out / "card.toml").read_text("utf-8")
    (out / "card.toml").write_text(card.replace('"own"', '"reference"'), "utf-8")
    where = ("--benchmark", hidden, "--out", tmp_path / "scores.json")
    code, _, err = ivcr("score", out, *where)
    assert (code, "baseline run --floors" in err) == (0, False)
    assert "with hidden reference answers none can be made" in err


def test_init_and_convert_keep_the_split(ivcr, toy, tmp_path):
    on_val = ("--benchmark", toy, "--split", "val")
    _, out, _ = ivcr("submission", "init", tmp_path / "new", *on_val)
    assert next_command(out)[-2:] == ["--split", "val"]
    name = json.loads((toy / "val" / "turns.jsonl").read_text("utf-8"))["dialogue_id"]
    (tmp_path / "t.csv").write_text(f"dialogue_id,turn,videos\n{name},1,{CAT}\n")
    file = tmp_path / "t.csv"
    code, out, _ = ivcr("submission", "convert", "csv", file, *on_val, "--out", tmp_path / "made")
    assert (code, "1 of 1 turns answered" in out) == (0, True)
    assert ivcr(*next_command(out))[0] == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["score", "{sub}", "--benchmark", "{toy}", "--split", "tets"], "did you mean test?"),
        (["submission", "convert", "cvs", "x", "--benchmark", "{toy}", "--out", "o"], "mean csv?"),
        (["data", "import", "x", "--out", "o", "--source", "ivcr20k"], "did you mean ivcr200k?"),
        (
            ["baseline", "run", "bm52", "--benchmark", "{toy}", "--history", "own", "--out", "o"],
            "did you mean bm25?",
        ),
        (
            ["compare", "{sub}", "{other}", "--benchmark", "{toy}", "--slice", "langage=en"],
            "did you mean language=en?",
        ),
        (
            ["leaderboard", "verify", "{sub}", "--benchmark", "{toy}", "--split", "tst"],
            "did you mean test?",
        ),
    ],
)  # fmt: skip
def test_a_wrong_name_has_a_suggestion(arguments, says, ivcr, toy, tmp_path):
    from harness.benchmark import Benchmark
    from harness.formats.conversion import abstention

    for name in ("sub", "other"):
        turns = Benchmark(toy).split().turns
        write(tmp_path / name, STARTER, map(abstention, turns))
    places = {"sub": tmp_path / "sub", "other": tmp_path / "other", "toy": toy}
    code, _, err = ivcr(*(argument.format(**places) for argument in arguments))
    assert (code in (2, 3), err.count("\n")) == (True, 1)
    assert says in err
