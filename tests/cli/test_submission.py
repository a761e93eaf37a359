"""`ivcr validate` and `ivcr submission`: exit codes, the two forms of a report, what is loaded."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.validation.samples import CARD, LINES, encoded, write_benchmark, write_submission

HEAVY = ("torch", "pandas", "scipy", "numpy", "bm25s", "rich")


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory):
    return write_benchmark(tmp_path_factory.mktemp("cli") / "benchmark")


@pytest.fixture
def sub(tmp_path):
    return write_submission(tmp_path / "sub")


def ivcr(*arguments, before="", **named):
    script = (
        f"import sys\n{before}\nfrom harness.cli import main\n"
        "sys.argv[0] = 'ivcr'\n"
        "try: main()\n"
        f"finally: print([n for n in {HEAVY!r} if n in sys.modules], file=sys.stderr)"
    )
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **named)


def test_valid_submission_ends_with_what_to_do_next_and_loads_nothing_heavy(sub, benchmark):
    run = ivcr("validate", sub, "--benchmark", benchmark)
    assert (run.returncode, run.stderr) == (0, "[]\n")
    assert run.stdout.splitlines() == [
        "5 turns answered, 0 of them by an abstention; 0 errors, 0 warnings",
        "valid; the labels of split test are not here: who has them can score it",
    ]


def test_problems_exit_with_1_each_on_a_line_of_its_own(sub, benchmark):
    bad = {**LINES[3], "videos": [f"x{n}" for n in range(25)]}
    lines = [encoded({}), *map(encoded, LINES[:3]), encoded(bad), encoded(LINES[4]), b""]
    (sub / "predictions.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    run = ivcr("validate", sub, "--benchmark", benchmark)
    rows = run.stdout.splitlines()
    assert run.returncode == 1
    assert [row.rsplit(" ", 1)[-1] for row in rows[:23]] == ["[L111]"] * 2 + ["[V100]"] * 21
    assert rows[22] == "... and 5 more of this kind [V100]"
    assert rows[23].startswith("warning: predictions.jsonl:7: empty line")
    assert rows[-1].startswith("not valid; fix the errors above, then: ivcr validate ")


def test_json_report_is_the_contract(sub, benchmark):
    (sub / "card.toml").write_text(CARD + "x = 1\n")
    run = ivcr("validate", sub, "--benchmark", benchmark, "--format", "json")
    report = json.loads(run.stdout)
    assert run.returncode == 1
    (problem,) = report.pop("problems")
    assert report == {
        "schema": 1,
        "valid": False,
        "errors": 1,
        "warnings": 0,
        "answered": 5,
        "abstentions": 0,
        "totals": {"C105": 1},
    }
    assert problem == {
        "code": "C105",
        "severity": "error",
        "file": "card.toml",
        "line": None,
        "dialogue_id": None,
        "turn": None,
        "message": "card.toml: unknown key x; remove it [C105]",
    }


def test_warnings_alone_exit_with_0(sub, benchmark):
    path = sub / "predictions.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    run = ivcr("validate", sub, "--benchmark", benchmark, "--format", "json")
    report = json.loads(run.stdout)
    assert (run.returncode, report["valid"], report["warnings"]) == (0, True, 2)
    assert report["totals"] == {"S112": 1, "S113": 1}


@pytest.mark.parametrize("seed", ["0", "1", "77"])
def test_same_report_whatever_the_hash_seed(seed, tmp_path, benchmark):
    strange = {"dialogue_id": "d1", "turn": 1, **{f"x{n}": n for n in range(9)}, "videos": ["q"]}
    sub = write_submission(tmp_path / "sub", CARD + "b = 1\na = 1\n", [encoded(strange)])
    arguments = ("validate", "sub", "--benchmark", benchmark, "--format", "json")
    runs = [
        ivcr(*arguments, cwd=sub.parent, env={"PYTHONHASHSEED": each}).stdout
        for each in ("5", seed)
    ]
    assert runs[0] == runs[1] != ""


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["validate", "{tmp}/none", "--benchmark", "{b}"], 3, "expected a submission's folder"),
        (["validate", "{sub}", "--benchmark", "{tmp}/none"], 3, "expected a benchmark folder"),
        (["validate", "{sub}", "--benchmark", "{b}", "--split", "train"], 3, "has no split"),
        (["validate", "{sub}"], 2, "--benchmark"),
        (["submission", "init", "{sub}", "--benchmark", "{b}"], 2, "has a card.toml already"),
        (["submission", "init", "{tmp}/x", "--benchmark", "{tmp}/none"], 3, "benchmark folder"),
        (["submission", "info", "{tmp}/none"], 3, "expected a submission's folder"),
        (
            ["submission", "convert", "xml", "f", "--benchmark", "{b}", "--out", "o"],
            2,
            "expected one of: csv, ",
        ),
        (
            ["submission", "convert", "csv", "{tmp}/f", "--benchmark", "{b}", "--out", "o"],
            3,
            "read",
        ),
    ],
)
def test_what_fails_is_one_line_and_its_exit_code(arguments, code, says, sub, tmp_path, benchmark):
    places = {"tmp": tmp_path, "sub": sub, "b": benchmark}
    run = ivcr(*(argument.format(**places) for argument in arguments))
    assert run.returncode == code, run.stderr
    assert says in run.stderr
    assert "Traceback" not in run.stderr
    if code == 3:
        assert len(run.stderr.splitlines()) == 2  # the message, and what was loaded


def test_changed_benchmark_is_refused(sub, benchmark, tmp_path):
    folder = shutil.copytree(benchmark, tmp_path / "b")
    with (folder / "test" / "corpus.txt").open("a") as stream:
        stream.write("v/new.mp4\n")
    run = ivcr("validate", sub, "--benchmark", folder)
    assert (run.returncode, "changed since the import" in run.stderr) == (3, True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which is not here")
@pytest.mark.parametrize("command", [["validate"], ["submission", "info"]])
def test_full_disk_under_the_report_is_one_line(command, sub, benchmark):
    rest = ["--benchmark", benchmark] if command == ["validate"] else []
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [sys.executable, "-c", "from harness.cli import main; main()", *command, sub, *rest],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert (run.returncode, run.stderr.count("\n")) == (3, 1), run.stderr
    assert "standard output: cannot be written: No space left on device" in run.stderr


def test_init_info_and_validate_go_together(tmp_path, benchmark):
    sub = tmp_path / "new"
    begun = ivcr("submission", "init", sub, "--benchmark", benchmark)
    assert (begun.returncode, sorted(path.name for path in sub.iterdir())) == (
        0,
        ["card.toml", "predictions.example.jsonl"],
    )
    (sub / "predictions.jsonl").write_bytes(b"".join(encoded(line) + b"\n" for line in LINES))
    seen = ivcr("submission", "info", sub)
    assert seen.returncode == 0
    for row in ("team  Your team", "lines  5", "with choice  2", "SHA-256  "):
        assert row in seen.stdout
    assert ivcr("validate", sub, "--benchmark", benchmark).returncode == 0


def test_info_says_what_cannot_be_read(sub):
    (sub / "predictions.jsonl").rename(sub / "predictions.jsonl.gz")
    (sub / "card.toml").write_text(CARD.replace("A team", "A\\u001b[2Jteam"))
    run = ivcr("submission", "info", sub)
    assert run.returncode == 1
    assert "[S107]" in run.stdout
    assert "[C107]" in run.stdout
    assert "\x1b" not in run.stdout


def test_convert_keeps_the_card_that_is_there(tmp_path, benchmark):
    (tmp_path / "run").write_text("d1/1 Q0 v/a.mp4 1 1 x\n")
    sub = tmp_path / "sub"
    convert = ("submission", "convert", "trec", tmp_path / "run", "--benchmark", benchmark)
    first = ivcr(*convert, "--out", sub)
    assert (first.returncode, "2  video turns without an answer" in first.stdout) == (0, True)
    (sub / "card.toml").write_text(CARD)
    assert ivcr(*convert, "--out", sub).returncode == 0
    assert 'team = "A team"' in (sub / "card.toml").read_text()
    (sub / "card.toml").write_text("no card")
    broken = ivcr(*convert, "--out", sub)
    assert (broken.returncode, "not TOML" in broken.stderr) == (1, True)
    assert (sub / "card.toml").read_text() == "no card"
