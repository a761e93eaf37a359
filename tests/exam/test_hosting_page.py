"""docs/hosting.md: its commands run, its configuration is sound, its table has every address."""

import json
import re
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from harness.exam.client import ExamClient
from harness.exam.http.app import make_app
from harness.exam.serve_config import ServeConfig, config_problems, read_serve_config
from harness.exam.storage.tokens import PREFIX
from tests.baselines.conftest import SAMPLES, imported
from tests.cli.test_pages import commands
from tests.conftest import REPOSITORY
from tests.exam.conftest import card
from tests.exam.killing import free_port
from tests.exam.test_protocol import EMPTY

PAGE = (REPOSITORY / "docs" / "hosting.md").read_text("utf-8")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The organizers' folder, as the page leads to it: `full`, submissions, CONFIG.toml."""
    monkeypatch.chdir(tmp_path)
    imported(tmp_path, name="full", filmed=True)
    team = tmp_path / "submissions" / "TEAM"
    team.mkdir(parents=True)
    (team / "team.toml").write_text('name = "TEAM"\n')
    [phase] = re.findall(r"^    (\[\[phase\]\]\n(?:    .*\n)+)", PAGE, re.MULTILINE)
    challenge = 'title = "Exam"\n' + re.sub(r"^    ", "", phase, flags=re.MULTILINE)
    today = challenge.replace("2027-03", "2026-01").replace("2027-04", "2126-01")
    (tmp_path / "submissions" / "challenge.toml").write_text(today)
    [text] = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "CONFIG.toml").write_text(text.replace("8000", str(free_port())))
    return tmp_path


def test_the_commands_of_the_page_run_in_their_order(place, ivcr, monkeypatch):
    demo, publish, check, make, serve, run = commands(PAGE)
    assert demo == ["serve", "--demo", "demo-exam"]
    assert (check[-1], serve) == ("--check", ["serve", "CONFIG.toml"])
    assert ivcr(*publish)[0] == 0
    code, out, _ = ivcr(*check)
    assert (code, out) == (0, "CONFIG.toml: nothing is wrong with it\n")
    code, token, _ = ivcr(*make)
    assert (code, token.startswith(PREFIX)) == (0, True)
    port = read_serve_config(place / "CONFIG.toml").port
    with server(serve) as process:
        client = ExamClient(f"http://127.0.0.1:{port}", token.strip(), patience=60.0)
        assert client._send("GET", "/healthz") == {"status": "ok"}
        address = ("http://127.0.0.1:8000", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("IVCR_TOKEN", token.strip())
        code, _, err = ivcr(*(word.replace(*address) for word in run))
        assert (code, "finished, run exam-" in err) == (0, True), err
        assert ivcr("validate", "my-exam", "--benchmark", "full")[0] == 0
        by_python(client, address, token.strip())
        by_hand(client, address, token.strip())
        client.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) in (0, 128 + signal.SIGTERM, -signal.SIGTERM)
        said = process.stderr.read().decode()
    assert "Traceback" not in said
    assert token.strip() not in said


@contextmanager
def server(words):
    """A server of the command line, which ends with the block whatever happens in it."""
    command = [sys.executable, "-c", "from harness.cli import main; main()", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def by_python(client, address, token):
    [program] = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    names = {
        "token": token,
        "card": card(team="TEAM"),
        "answer_to": lambda turn: EMPTY[turn["task"]],
    }
    exec(program.replace(*address), names)
    assert client.status(names["exam"])["state"] == "finished"
    names["client"].close()


def by_hand(client, address, token):
    [text] = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    turns, put = text.replace(*address).splitlines()
    # A third exam is past the quota of two, so one of the two that are finished stands in.
    exam = client.open("final", card(team="TEAM"), "first try")["exam"]
    answered = next(iter(client.answers(exam)))
    for line, says in ((turns, "exam_over"), (put, "receipt")):
        line = line.replace("exams/E/", f"exams/{exam}/")
        line = line.replace("DIALOGUE", answered["dialogue_id"])
        line = line.replace('{"videos": []}', json.dumps(EMPTY[answered["task"]]))
        out = subprocess.run(["sh", "-c", line], capture_output=True, check=True, text=True,
                             env={"IVCR_TOKEN": token, "PATH": "/usr/bin:/bin"})  # fmt: skip
        assert says in out.stdout


def test_tokens_are_listed_without_their_text_and_revoked(place, ivcr):
    _, token, _ = ivcr("exam", "token", "make", "CONFIG.toml", "TEAM", "--label", "first")
    code, out, _ = ivcr("exam", "token", "list", "CONFIG.toml")
    assert (code, out.count("\n"), token.strip() in out) == (0, 1, False)
    number = out.split()[0]
    assert ivcr("exam", "token", "revoke", "CONFIG.toml", number)[0] == 0
    assert "revoked" in ivcr("exam", "token", "list", "CONFIG.toml")[1]
    assert ivcr("exam", "token", "revoke", "CONFIG.toml", number)[0] == 2
    assert ivcr("exam", "token", "make", "CONFIG.toml", "nobody")[0] == 2
    assert ivcr("exam", "void", "CONFIG.toml", "0", "--why", "outage")[0] == 2
    assert ivcr("exam", "list", "CONFIG.toml")[:2] == (0, "")


def test_the_demo_makes_all_that_a_server_needs(tmp_path):
    from harness.exam.demo import make_demo

    said = []

    def toy(folder):
        folder.parent.mkdir(parents=True)
        imported(folder.parent, [*SAMPLES, SAMPLES[0] | {"split": "val"}], name=folder.name)

    config = make_demo(tmp_path / "demo", toy, said.append)
    assert list(config_problems(read_serve_config(config))) == []
    again = make_demo(tmp_path / "demo", lambda folder: None, said.append)
    assert again == config
    assert len([line for line in said if PREFIX in line]) == 4


def test_the_table_names_every_address():
    named = set(re.findall(r"^\| `(?:GET|PUT|POST) (/[^?`]*)", PAGE, re.MULTILINE))
    app = make_app(None, None)
    names = {"{exam}": "E", "{dialogue}": "DIALOGUE", "{turn}": "TURN"}
    found = set()
    for path in app.openapi()["paths"]:
        for name, short in names.items():
            path = path.replace(name, short)
        found.add(path)
    assert named == found


def problems(place, **changed):
    (place / "public").mkdir(exist_ok=True)
    config = read_serve_config(place / "CONFIG.toml")
    values = {name: getattr(config, name) for name in ServeConfig.__struct_fields__} | changed
    return list(config_problems(ServeConfig(**values)))


def test_an_exam_on_published_turns_is_refused(place, ivcr):
    assert ivcr("data", "publish", "full", "--hide", "test", "--out", "hidden")[0] == 0
    [problem] = problems(place, public=place / "hidden")
    assert "the turns of test were published" in problem
    [problem] = problems(place, public=None)
    assert "expected `public`, the copy that participants have" in problem
    assert problems(place, public=None, practice=("final",)) == []
    assert "did you mean final" in problems(place, practice=("finale",))[0]


def test_a_copy_of_another_benchmark_is_refused(place, ivcr):
    ivcr("data", "publish", "full", "--exam", "test", "--out", "copy")
    header = json.loads((place / "copy" / "benchmark.json").read_text())
    header["exam"]["of"] = "0" * 64
    (place / "copy" / "benchmark.json").write_text(json.dumps(header))
    [problem] = problems(place, public=place / "copy")
    assert "is a copy of another benchmark" in problem


def test_results_that_others_read_are_refused(place):
    found = problems(place, results=place / "submissions" / "results", practice=("final",))
    assert ["lies in" in each for each in found] == [True]


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("prot = 1", 2, 'unknown key "prot"; did you mean port?'),
        ("port = 'x'", 2, "Expected `int`"),
        ("port = ", 2, "CONFIG.toml"),
    ],
)
def test_a_wrong_file_is_told_with_its_place(place, ivcr, line, code, says):
    with (place / "CONFIG.toml").open("a") as stream:
        stream.write(f"{line}\n")
    if line.startswith("port"):
        text = (place / "CONFIG.toml").read_text()
        (place / "CONFIG.toml").write_text(re.sub(r"port = \d+\n", "", text))
    found, _, err = ivcr("serve", "CONFIG.toml", "--check")
    assert (found, says in err) == (code, True), err
    assert err.count("\n") == 1


def test_the_command_takes_one_of_both(ivcr, tmp_path):
    assert ivcr("serve")[0] == 2
    assert ivcr("serve", "x", "--demo", "y")[0] == 2
    assert ivcr("serve", tmp_path / "absent.toml")[0] == 3
