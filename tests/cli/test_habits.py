"""Habits of a command line: --verbose and a log file, colours, dumb terminals, completion, bars."""

import json
import logging
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time

import pytest

from harness.cli import COMMANDS
from harness.cli.environment.logs import PACKAGES, StampedFormatter
from tests.comparison.worlds import submit, world

IVCR = [sys.executable, "-c", "from harness.cli import main; main()"]
BAR = [sys.executable, "-c", """
import time
from harness.cli.progress import bar
with bar("working", "things") as advance:
    for done in range(5):
        advance(done, 4)
        time.sleep(0.15)
    print("result")
"""]  # fmt: skip
STAMP = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00 \d+ (DEBUG|INFO|ERROR) [\w.]+: .*"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A benchmark and two submissions."""
    folder = tmp_path_factory.mktemp("habits")
    benchmark = world(folder, (1, "v0 v1 m1"), (2, "m3 v4"), name="b")
    submit(folder / "one", benchmark, "111", "11")
    submit(folder / "two", benchmark, "101", "01")
    return folder


def on_a_terminal(command, **environment):
    """What a command writes to a terminal of its own, and what to a standard output that is none.

    An environment variable of None is unset.
    """
    ours, theirs = pty.openpty()
    full = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"} | environment
    full = {name: value for name, value in full.items() if value is not None}
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        if name not in environment:
            full.pop(name, None)
    with subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=full
    ) as process:
        os.close(theirs)
        shown = b""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    piece = os.read(ours, 65536)
                except OSError:  # the other end is closed
                    break
                if not piece:
                    break
                shown += piece
            elif process.poll() is not None:
                break
        out = process.stdout.read()
    os.close(ours)
    return shown.decode(), out.decode()


def colours(text):
    """The escapes that set a colour (not bold, dim, or plain)."""
    codes = ";".join(re.findall(r"\x1b\[([0-9;]*)m", text)).split(";")
    numbers = [int(code) for code in codes if code.isdecimal()]
    return [code for code in numbers if 30 <= code <= 49 or 90 <= code <= 107]


def test_a_bar_says_how_much_and_how_long_it_takes_yet():
    shown, out = on_a_terminal(BAR)
    assert "working" in shown
    assert re.search(r"4/4", shown)
    assert "left" in shown
    assert colours(shown)
    assert out == "result\n"


def test_no_color_leaves_the_bar_and_takes_its_colours():
    shown, _ = on_a_terminal(BAR, NO_COLOR="1")
    assert "working" in shown
    assert colours(shown) == []


def test_a_dumb_terminal_gets_no_escape_at_all():
    shown, out = on_a_terminal(BAR, TERM="dumb")
    assert "\x1b" not in shown
    assert out == "result\n"


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_commands_write_no_colour_where_none_is_wanted(environment, place):
    for arguments in (["--help"], ["submission", "info", place / "one"], ["frobnicate"]):
        shown, out = on_a_terminal([*IVCR, *map(str, arguments)], **environment)
        assert colours(shown + out) == []


def test_results_never_land_on_standard_error_while_a_bar_is_shown(place):
    command = [*IVCR, "validate", place / "one", place / "two", "--benchmark", place / "b"]
    shown, out = on_a_terminal([*map(str, command)])
    assert "validating" in shown
    assert "2/2" in shown
    assert str(place / "one") in out
    assert str(place / "one") not in shown


def test_verbose_says_what_is_read_and_written_with_times(ivcr, place):
    code, _, err = ivcr("--verbose", "score", place / "one", "--benchmark", place / "b")
    assert code == 0
    lines = [line for line in err.splitlines() if line.startswith("[")]
    assert all(re.fullmatch(r"\[ *\d+\.\d{3} s\] (harness|baselines)[\w.]*: .*", line)
               for line in lines)  # fmt: skip
    text = "\n".join(lines)
    assert f"read {place / 'b/test/turns.jsonl'}" in text
    assert "turns answered" in text
    assert f"wrote {place / 'one/scores.json'}" in text
    assert lines[-1].endswith("ends with exit code 0")
    seconds = [float(line[1:].split()[0]) for line in lines]
    assert seconds == sorted(seconds)
    assert ivcr("score", place / "two", "--benchmark", place / "b")[1].startswith("ivcr|")


def test_results_are_the_same_with_and_without(ivcr, place, tmp_path):
    words = ("validate", place / "one", "--benchmark", place / "b", "--format", "json")
    plain, verbose = ivcr(*words), ivcr("--verbose", "--log-file", tmp_path / "log", *words)
    assert plain[:2] == verbose[:2]
    assert json.loads(plain[1])["valid"]


def test_a_log_file_takes_lines_notes_and_errors_and_keeps_what_it_had(ivcr, place, tmp_path):
    log = tmp_path / "log.txt"
    words = (
        "--log-file",
        log,
        "validate",
        place / "one",
        place / "one",
        "--benchmark",
        place / "b",
    )
    code, _, err = ivcr(*words)
    assert code == 0
    assert "read " not in err
    first = log.read_text().splitlines()
    assert all(STAMP.fullmatch(line) for line in first)
    assert any("INFO harness.cli: passed over, as it was named before" in line for line in first)
    code, _, err = ivcr(
        "--log-file", log, "validate", place / "one", "--benchmark", tmp_path / "no"
    )
    assert code == 3
    second = log.read_text().splitlines()
    assert second[: len(first)] == first
    (failed,) = (line for line in second if " ERROR " in line)
    assert failed.partition("harness.cli: ")[2] == err.removeprefix("ivcr: ").strip()
    assert second[-1].endswith("ends with exit code 3")


def test_a_wrong_option_is_kept_too(ivcr, place, tmp_path):
    code, _, err = ivcr("--log-file", tmp_path / "log", "validate", "--frobnicate")
    assert code == 2
    assert "No such option" in (tmp_path / "log").read_text()
    assert "No such option" in err


def test_a_log_file_that_cannot_be_opened_is_one_line(ivcr, tmp_path):
    code, out, err = ivcr("--log-file", tmp_path / "no/log", "metrics")
    assert (code, out) == (3, "")
    assert err.count("\n") == 1
    assert "make the folder first" in err


def test_a_full_disk_under_the_log_is_said_once_and_ends_nothing(ivcr, place):
    code, out, err = ivcr("--log-file", "/dev/full", "metrics")
    assert code == 0
    assert "R@1" in out
    assert err.count("no more lines are kept") == 1


def test_a_line_of_a_log_holds_no_control(tmp_path):
    record = logging.LogRecord(
        "harness.x", logging.DEBUG, "f", 1, "read %s", ("a\x1b[31m\nb‮",), None
    )
    line = StampedFormatter().format(record)
    assert line.endswith("read a\\x1b[31m\\nb\\u202e")
    assert STAMP.fullmatch(line)


def test_afterwards_the_loggers_are_as_before(ivcr, tmp_path):
    ivcr("--verbose", "--log-file", tmp_path / "log", "metrics")
    for package in PACKAGES:
        logger = logging.getLogger(package)
        assert (logger.handlers, logger.level, logger.propagate) == ([], logging.NOTSET, True)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_of_its_shell(shell, ivcr):
    code, script, _ = ivcr("completion", shell)
    assert code == 0
    assert f"_IVCR_COMPLETE={shell}_complete" in script
    if program := shutil.which(shell):
        subprocess.run([program, "-n"], input=script, text=True, check=True)


def test_bash_completes_commands_and_options(ivcr, tmp_path):
    """Through the script itself, with an `ivcr` on the path."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("needs bash")
    program = tmp_path / "ivcr"
    program.write_text(f"#!{sys.executable}\nfrom harness.cli import main\nmain()\n")
    program.chmod(0o755)
    script = ivcr("completion", "bash")[1]

    def words(line):
        parts = line.split(" ")
        ask = (f"{script}\nCOMP_WORDS=({line})\nCOMP_CWORD={len(parts) - 1}\n"
               "_ivcr_completion ivcr\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n")  # fmt: skip
        done = subprocess.run(
            [bash, "--norc", "-c", ask], capture_output=True, text=True, check=True,
            env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        )  # fmt: skip
        return done.stdout.split()

    assert words("ivcr lead") == ["leaderboard"]
    assert "croissant" in words("ivcr data c")
    assert "--log-file" in words("ivcr --lo")
    assert set(COMMANDS) <= set(words("ivcr "))
