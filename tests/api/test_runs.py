"""A function, a class or a baseline answers a split, and a submission is the result."""

import functools
import json
import tomllib

import pytest

import harness as ivcr
from baselines.provenance.code_hash import code_sha256
from tests.api.conftest import valid
from tests.baselines.conftest import CAT, DOG
from tests.baselines.test_own_baselines import OWN, ROOT


@pytest.fixture
def run(benchmark, named, tmp_path):
    """Run a system: the folder of its submission."""

    def made(answer, out="sub", **more):
        fields = {"history": "own", **named, **more}
        return ivcr.run(benchmark, answer, out=tmp_path / out, **fields)

    return made


def card_of(folder):
    return tomllib.loads((folder / "card.toml").read_text("utf-8"))


def record_of(folder):
    return json.loads((folder / "run.json").read_text("utf-8"))


class ByDuration(ivcr.System):
    """The longest videos first.

    And nothing else.
    """

    def prepare(self, corpus, videos):
        self.order = sorted(corpus, key=lambda name: -(videos[name].duration or 0))

    def answer(self, query):
        return self.order if query.task == "video" else valid(query)


def test_a_function_makes_a_valid_submission_which_claims_only_what_is_declared(run, benchmark):
    out = run(valid)
    assert ivcr.validate(out, benchmark).valid
    assert card_of(out) == {
        "schema": 1, "team": "A lab", "system": "A system", "history": "own",
        "candidates": "unused", "kind": "predictions", "code": "conftest.py",
        "description": "An answer that is right in form to any turn.",
    }  # fmt: skip
    assert not list(out.parent.glob("*.run"))


def test_what_is_declared_stands_in_the_card(run):
    more = {"training_data": ["toy train"], "annotations": "gold spans", "seed": 4,
            "parameters": 7, "description": "Mine."}  # fmt: skip
    card = card_of(run(valid, card=more, candidates="used", history="none"))
    assert {name: card[name] for name in more} == more
    assert (card["candidates"], card["history"]) == ("used", "none")


def test_a_class_or_an_instance_is_prepared_with_seconds(run, benchmark):
    first, second = run(ByDuration), run(ByDuration(), out="again")
    assert card_of(first)["description"] == "The longest videos first."
    assert ivcr.score(first, benchmark)["R@1"].turns == 5
    assert (first / "predictions.jsonl.zst").read_bytes() == (
        second / "predictions.jsonl.zst"
    ).read_bytes()


def test_the_code_of_a_program_is_no_part_of_ours_and_changes_its_hash(run, benchmark, tmp_path):
    record = record_of(run(valid))
    ours = code_sha256(ROOT / "baselines")
    assert record["outside"] == ["conftest.py"]
    assert record["code_sha256"] != ours
    typed = {}
    exec("def typed_in(query):\n    return [] if query.task != 'chat' else ''", typed)
    out = run(typed["typed_in"], out="typed")
    assert record_of(out)["outside"] == ["(code of a program, in no file)"]
    assert "code" not in card_of(out)
    bm25 = ivcr.run_baseline(benchmark, "bm25", out=tmp_path / "bm25", history="own")
    assert record_of(bm25)["code_sha256"] == ours
    assert card_of(bm25)["team"] == "IVCR harness"


def test_a_baseline_by_name_or_file_with_settings_and_team(benchmark, tmp_path):
    own = tmp_path / "first_videos.py"
    own.write_text(OWN)
    out = ivcr.run_baseline(benchmark, own, out=tmp_path / "sub", history="own", team="A lab",
                            settings={"most": 1}, variant="one alone")  # fmt: skip
    card = card_of(out)
    assert (card["team"], card["variant"], card["settings"]) == (
        "A lab", "one alone", {"most": 1},
    )  # fmt: skip
    with pytest.raises(ivcr.WrongUsageError, match='unknown setting "mots"; did you mean most'):
        ivcr.run_baseline(benchmark, own, out=tmp_path / "no", history="own", settings={"mots": 1})
    with pytest.raises(ivcr.WrongUsageError, match=r"no baseline .bm26.; did you mean bm25"):
        ivcr.run_baseline(benchmark, "bm26", out=tmp_path / "no", history="own")


def fails_at_two(query):
    if query.turn == 2:
        raise ValueError("no\nframes")
    return valid(query)


def fails_while_it_gives(query):
    yield CAT
    raise KeyError("gone")


class Fails(ivcr.System):
    def answer(self, query):
        raise ValueError("not here")


class FailsAtOnce(Fails):
    def prepare(self, corpus, videos):
        raise RuntimeError("no index")


@pytest.mark.parametrize(("answer", "expected"), [
    (fails_at_two, r"test_runs.py:\d+: fails_at_two\(\) raised ValueError: no\\nframes, at turn "
                   r"d\d+-\w+/2; .*sub was not written: mend the code and run it again"),
    (fails_while_it_gives, r"test_runs.py:\d+: fails_while_it_gives\(\) raised KeyError: 'gone', "
                           r"at turn d\d+-\w+/1"),
    (functools.partial(fails_at_two), r"fails_at_two\(\) raised ValueError"),
    (Fails, r"test_runs.py:\d+: answer\(\) raised ValueError: not here, at turn d\d+-\w+/1"),
    (FailsAtOnce(), r"test_runs.py:\d+: prepare\(\) raised RuntimeError: no index"),
], ids=["turn", "generator", "partial", "class", "prepare"])  # fmt: skip
def test_an_error_of_a_system_names_line_and_turn_and_nothing_is_written(
    run, tmp_path, answer, expected
):
    with pytest.raises(ivcr.WrongUsageError, match=expected) as found:
        run(answer)
    assert found.value.__cause__.__traceback__ is not None
    assert list(tmp_path.iterdir()) == []
    run(valid)


@pytest.mark.parametrize(("answer", "expected"), [
    (lambda query: None, r"^split test, turn d\d+-\w+/1: expected an answer, found None"),
    (lambda query: [DOG, DOG], r"/1: videos: video A/dog.mp4 is at rank 1 and again at rank 2"),
])  # fmt: skip
def test_a_wrong_answer_ends_the_run_at_its_turn(run, tmp_path, answer, expected):
    with pytest.raises(ivcr.SubmissionError, match=expected):
        run(answer)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("more", "expected"), [
    ({"history": "onw"}, 'card: history: expected "none" or "own" or "reference", found "onw"'),
    ({"team": ""}, "card: team: expected one line of 1 to 200 characters"),
    ({"system": "bm25"}, "is a baseline of the project already; give yours another name"),
    ({"card": {"seeds": 1}}, "card: unknown key seeds; did you mean seed"),
    ({"card": {"team": "x"}}, "card: team: expected no such field in `card`"),
    ({"card": {"cost": object()}}, "card: expected text, numbers, .* of type object"),
    ({"answer": "bm25"}, "expected a function of a query, or a System, found 'bm25'"),
    ({"answer": ivcr.System}, "a method answer.query., found none in System"),
    ({"answer": dict}, "expected a function of a query, or a System, found <class 'dict'>"),
])  # fmt: skip
def test_wrong_usage_is_refused_before_the_first_turn(run, tmp_path, more, expected):
    with pytest.raises(ivcr.WrongUsageError, match=expected):
        run(**{"answer": valid, **more})
    assert list(tmp_path.iterdir()) == []


def test_what_lies_at_the_place_stays(run, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "notes.txt").write_text("mine")
    with pytest.raises(ivcr.WrongUsageError, match="is not an empty folder; remove it"):
        run(valid)
    assert (tmp_path / "sub" / "notes.txt").read_text() == "mine"


def test_progress_is_told_turn_by_turn(run):
    calls = []
    run(valid, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (9, 9)


def test_answers_at_hand_are_written(benchmark, named, tmp_path):
    turns = [turn for dialogue in benchmark.dialogues(history="none") for turn in _all(dialogue)]
    answers = {(turn.dialogue_id, turn.turn): valid(turn) for turn in reversed(turns)}
    field = {"video": "videos", "moment": "moments", "chat": "response"}
    lines = ({"dialogue_id": turn.dialogue_id, "turn": turn.turn, field[turn.task]: valid(turn)}
             for turn in turns)  # fmt: skip
    first = ivcr.write(tmp_path / "one", answers, benchmark, history="none", **named)
    second = ivcr.write(tmp_path / "two", lines, benchmark, history="none", **named)
    assert ivcr.validate(first, benchmark).valid
    assert (first / "predictions.jsonl.zst").read_bytes() == (
        second / "predictions.jsonl.zst"
    ).read_bytes()
    key = next(iter(answers))
    for wrong, expected in [
        ({key: valid(turns[-1])}, "found none to turn .*/1 and 7 more; answer it"),
        ({**answers, ("d9", 1): []}, "split test, turn d9/1: expected a turn of the split"),
        ({"d9/1": []}, "answers: expected a name .dialogue_id, turn., found 'd9/1'"),
        ({("d9", 1.0): []}, "answers: turn: expected a whole number, found 1.0"),
        ([{"turn": 1}], "answers: expected a line with dialogue_id and turn, found"),
        ([{"dialogue_id": key[0], "turn": key[1], "moments": []}] * 2, "expected one answer, "
         "found two"),
        ("text", "answers: expected a mapping or lines, found 'text'"),
    ]:  # fmt: skip
        with pytest.raises(ivcr.SubmissionError, match=expected):
            ivcr.write(tmp_path / "one", wrong, benchmark, history="none", **named)
    assert ivcr.validate(first, benchmark).valid


def _all(dialogue):
    for turn in dialogue:
        yield turn
        turn.abstain()
