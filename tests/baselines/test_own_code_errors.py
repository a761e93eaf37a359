"""What the code of a baseline of one's own raises or returns wrongly is told in one line."""

import json

import pytest

from baselines.running import runner

HEAD = '''"""A baseline that is tried out."""

from pathlib import Path

import numpy as np

from baselines.base import About, Answer, Baseline, Moment, Provenance

ABOUT = About(trains=True)


class Tried(Baseline):
    def prepare(self, view):
        self.corpus = view.corpus

'''
FAILS_AT_ONE = """
    def answer(self, queries):
        return [self.one(query) for query in queries]

    def one(self, query):
        if query.utterance == "什么时候?" and not Path("mended").exists():
            raise ValueError("no frames\\x1b[31m of " + query.utterance)
        return Answer(videos=self.corpus)
"""


@pytest.fixture
def tried(ivcr, toy, tmp_path, monkeypatch):
    """Run a class with this body on the toy benchmark: exit code, standard output and error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runner, "BATCH", 2)

    def made(body, *more, out="sub", history="own"):
        (tmp_path / "tried.py").write_text(HEAD + body, "utf-8")
        return ivcr("baseline", "run", more[0] if more else "tried.py", "--benchmark", toy.folder,
                    "--history", history, "--out", out, *more[1:])  # fmt: skip

    return made


def last_turn(toy):
    """The last one of its round and of its batch."""
    return toy.split().turns[-1]


def test_an_error_names_file_line_exception_and_turn_and_the_run_goes_on(tried, toy, tmp_path):
    code, _, err = tried(FAILS_AT_ONE)
    assert (code, err.count("\n"), "Traceback" in err, "\x1b" in err) == (2, 1, False, False)
    assert "tried.py:22: answer() raised ValueError: no frames" in err
    assert f", at turn {last_turn(toy).dialogue_id}/3; " in err
    trace = tmp_path / "sub.run" / "1-of-1.traceback.txt"
    assert f"{trace.relative_to(tmp_path)} has the traceback" in err
    assert "Traceback" in trace.read_text()
    assert "in one\n" in trace.read_text("utf-8")
    kept = (tmp_path / "sub.run" / "1-of-1.jsonl").read_bytes()
    assert kept.count(b"\n") > 1
    (tmp_path / "mended").touch()
    assert tried(FAILS_AT_ONE)[0] == 0
    whole = (tmp_path / "sub" / "predictions.jsonl.zst").read_bytes()
    assert tried(FAILS_AT_ONE, out="again")[0] == 0
    assert (tmp_path / "again" / "predictions.jsonl.zst").read_bytes() == whole
    assert not (tmp_path / "sub.run").exists()


def test_a_batch_is_named_where_the_turn_is_not_known(tried, toy):
    code, _, err = tried("    def answer(self, queries):\n        return 1 / 0\n")
    assert code == 2
    turns = toy.split().turns
    second = next(turn for turn in turns if turn.dialogue_id != turns[0].dialogue_id)
    assert (
        "answer() raised ZeroDivisionError: division by zero, in the batch of 2 turns from "
        f"{turns[0].dialogue_id}/1 to {second.dialogue_id}/1; "
    ) in err


@pytest.mark.slow
def test_an_error_in_another_process_is_told_too(tried, tmp_path):
    body = FAILS_AT_ONE.replace("什么时候?", "hello")
    code, _, err = tried(body, "tried.py", "--processes", "2")
    assert (code, "process 2 of 2 ended with 2" in err) == (2, True)
    trace = (tmp_path / "sub.run" / "2-of-2.traceback.txt").read_text()
    assert "ValueError: no frames" in trace


def test_an_error_of_a_member_names_the_member(tried, tmp_path):
    (tmp_path / "mix.toml").write_text('[[member]]\nbaseline = "tried.py"\n')
    code, _, err = tried(FAILS_AT_ONE, "hybrid", "--config", "mix.toml")
    assert code == 2
    assert "tried.py:" in err.partition(": answer() raised ValueError")[0]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("    def answer(self): ...\n", "answer() raised TypeError: "),
        ("    def answer(self, queries): ...\n", 'answer() gave "None" (NoneType) to 2 queries'),
        ("    def answer(self, queries):\n        yield from ()\n", "(generator) to 2 queries"),
        ("    def answer(self, queries):\n        return []\n", "gave 0 answers to 2 queries"),
        ("    def answer(self, queries):\n        return [Answer(), self.corpus]\n",
         "(tuple) to turn d000001-"),
        ("    def answer(self, queries):\n        return [Answer(videos='a.mp4')] * len(queries)\n",
         "raised TypeError: Answer.videos: expected ids in a list or tuple"),
        ("    def answer(self, queries):\n        return [Answer(moments=[Moment('a', 1.2, 2)])]\n",
         "Moment.from_seconds(video_id, start, end)"),
        ("    def prepare(self, view):\n        view.nothing\n    def answer(self, queries): ...\n",
         "prepare() raised AttributeError: "),
        ("    def provenance(self):\n        return 7\n    def answer(self, queries): ...\n",
         "provenance() raised TypeError: expected a Provenance, found int"),
        ("    def __init__(self, settings):\n        1 / 0\n    def answer(self, queries): ...\n",
         "__init__() raised ZeroDivisionError"),
        ("    def answer(self, queries):\n        return [Answer(usage={'n': 1})] * len(queries)\n"
         "    def cost(self, usage):\n        return usage['m']\n",
         "cost() raised KeyError: 'm'"),
        ("", "tried.py: Tried has no method answer; define `prepare` and `answer`"),
    ],
)  # fmt: skip
def test_what_is_raised_or_returned_wrongly_is_told_in_one_line(tried, body, expected):
    code, _, err = tried(body)
    assert (code, "Traceback" in err, err.count("\n")) == (2, False, 1)
    assert err.startswith("ivcr: ")
    assert "tried.py" in err
    assert expected in err


def test_a_library_that_is_absent_is_told_as_such(tried):
    code, _, err = tried("    def answer(self, queries):\n        import no_such_library\n")
    assert (code, err.count("\n")) == (3, 1)
    assert "tried.py needs no_such_library, which is not installed" in err


def test_an_error_of_training_is_told_too(ivcr, toy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    body = "    def answer(self, queries): ...\n    def train(self, view, config):\n        1 / 0\n"
    (tmp_path / "tried.py").write_text(HEAD + body, "utf-8")
    code, _, err = ivcr("baseline", "train", "tried.py", "--benchmark", toy.folder, "--out", "made")
    assert (code, "Traceback" in err) == (2, False)
    assert "train() raised ZeroDivisionError: division by zero; made.traceback.txt has" in err
    assert "1 / 0" in (tmp_path / "made.traceback.txt").read_text()


def test_a_bug_of_the_project_keeps_its_traceback(ivcr, toy, tmp_path, monkeypatch):
    from baselines.floors.random import Random

    monkeypatch.setattr(Random, "answer", lambda self, queries: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ivcr("baseline", "run", "random", "--benchmark", toy.folder, "--history", "own",
             "--out", tmp_path / "sub")  # fmt: skip


def test_numbers_and_texts_of_numpy_are_taken(tried, tmp_path):
    body = """
    def answer(self, queries):
        spans = np.array([[0, 1500]])
        return [
            Answer(
                videos=np.array(self.corpus),
                moments=[Moment(np.str_(self.corpus[0]), *spans[0])],
                response=np.str_("here"),
                usage={"frames": np.int64(4)},
            )
            for _ in queries
        ]

    def provenance(self):
        return Provenance(parameters=np.int64(12), details={"mean": np.float32(0.5)})

    def cost(self, usage):
        return {"frames": np.int64(usage["frames"])}
"""
    code, _, err = tried(body)
    assert code == 0, err
    record = json.loads((tmp_path / "sub" / "run.json").read_text())
    assert (record["details"], record["spent"]) == ({"mean": 0.5}, {"frames": 36})
    card = (tmp_path / "sub" / "card.toml").read_text()
    assert "parameters = 12\n" in card
    assert "frames = 36\n" in card
