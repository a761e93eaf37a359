"""A comparison as text and LaTeX: figures as in the document, strangers' text harmless."""

import re
import unicodedata

import pytest
from msgspec.structs import replace

from harness.comparison import compare
from harness.comparison.latex import latex_lines
from harness.comparison.terminal import percent, probability, text_lines
from tests.comparison.worlds import submit, world

HOSTILE = "\x1b[31m\u202e\x9b2J & % $x$ {\\input{/etc/passwd}} #1 ~^_ <b>\r\n\\end{tabular}"


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    dialogues = (1, "v0 v1"), (1, "v2 m3 v4"), (1, "v5 m6")
    return world(tmp_path_factory.mktemp("bench"), *dialogues, words=HOSTILE)


@pytest.fixture(scope="module")
def found(tmp_path_factory, bench):
    folder = tmp_path_factory.mktemp("runs")
    one = submit(folder / "one", bench, "10", "110", "11", history="reference", pair="two")
    two = submit(folder / "two", bench, "01", "010", "00", history="own")
    three = submit(folder / "three", bench, "11", "1-1", "0-")
    return compare([one, two, three], bench)


@pytest.fixture
def hostile(found):
    systems = [replace(each, team=HOSTILE, system=HOSTILE) for each in found.systems]
    return replace(found, systems=tuple(systems))


def test_text_shows_every_difference_with_effect_and_interval_before_p(found):
    lines = list(text_lines(found))
    rows = [line for line in lines if re.match(r"  \S+ +[A-C] - [A-C] ", line)]
    figures = [each for propagation in found.propagation for each in propagation.figures]
    assert len(rows) == len([*found.differences, *figures])
    each = found.differences[0]
    assert (each.metric, each.slice, each.first, each.second) == ("R@1", "all", "A", "B")
    assert rows[0].split() == [
        "all", "A", "-", "B", "60.00", "20.00", "+40.00",
        f"[{100 * each.low:+.2f},", f"{100 * each.high:+.2f}]", f"{each.effect:+.2f}", "5", "3",
        f"{each.p_holm:.4f}",
    ]  # fmt: skip
    heading = next(line for line in lines if "d_z" in line and "pair" in line)
    assert heading.index("diff") < heading.index("interval") < heading.index("d_z")
    assert heading.rstrip().endswith(" p")


@pytest.mark.parametrize(
    ("p", "text"), [(None, "—"), (1.0, "1.0000"), (1e-4, "0.0001"), (9e-5, "<.0001"), (0, "<.0001")]
)
def test_no_p_is_shown_as_zero(found, p, text):
    assert probability(replace(found.differences[0], p_holm=p)) == text


def test_nothing_of_a_strangers_text_acts_on_a_terminal(hostile):
    for line in text_lines(hostile):
        assert not [c for c in line if unicodedata.category(c)[0] == "C"], line
    assert "\\u202e" in "\n".join(text_lines(hostile))


def test_dialogues_are_shown_turn_by_turn(found):
    text = "\n".join(text_lines(found))
    assert "IoU 1.00" in text
    assert "rank 1:" in text
    assert "no answer" in text


def test_hidden_labels_say_why_there_are_no_dialogues(found):
    text = "\n".join(text_lines(replace(found, dialogues=None, why="labels are hidden: so")))
    assert "Dialogues are not shown: labels are hidden" in text


def test_latex_keeps_its_columns_and_tables_whatever_the_names(hostile, found):
    lines = list(latex_lines(hostile))
    assert len(lines) == len(list(latex_lines(found)))
    assert sum(line.startswith(r"\begin{tabular}") for line in lines) == 3
    assert lines.count(r"\end{tabular}") == 3
    for line in lines:
        if line.endswith(r" \\"):
            skipped = 4 * line.count(r"\multicolumn{5}")
            columns = 1 + len(re.findall(r"(?<!\\)&", line)) + skipped
            assert columns in (5, 10), line


def test_latex_has_every_difference_and_a_true_minus(found):
    lines = "\n".join(latex_lines(found))
    figures = [each for propagation in found.propagation for each in propagation.figures]
    assert lines.count(" $-$ ") == len([*found.differences, *figures])
    assert r"R@1,IoU\textgreater{}=0.5" in lines
    assert re.search(r" & \$-\d+\.\d\d\$ & ", lines)


def test_a_zero_has_no_minus():
    assert percent(-0.0, "+") == percent(-0.00001, "+") == "+0.00"
    assert percent(None) == "—"
