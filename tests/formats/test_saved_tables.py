"""Tables and runs as people save them: what is read, what is refused, and with which words."""

import json
import re

import pytest

from harness.benchmark import Benchmark
from harness.errors import SubmissionError, WrongUsageError
from harness.formats import convert, converter_named
from harness.formats.conversion import answered
from harness.records import Moment
from tests.baselines.conftest import CAT, SAMPLES, dialogue, imported, talk
from tests.conftest import REPOSITORY
from tests.validation.samples import write_benchmark

ONE_ROW = "dialogue_id,turn,videos\nd1,1,v/a.mp4|v/b.mp4\n"
BOTH = ("v/a.mp4", "v/b.mp4")


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory):
    return Benchmark(write_benchmark(tmp_path_factory.mktemp("saved") / "benchmark"))


@pytest.fixture
def read(tmp_path, benchmark):
    """Answers by turn, and the report, of a text in a format."""

    def run(form, text, by_rank=False):
        file = tmp_path / "in"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        made = converter_named(form, by_rank=by_rank).convert(file, benchmark, "test")
        return {given.key: given for given in made.predictions}, made.report

    return run


SAVED = {
    "as it should be": (ONE_ROW, []),
    "a byte order mark": ("\ufeff" + ONE_ROW, []),
    "UTF-16, as Excel's Unicode text": (
        ONE_ROW.replace(",", "\t").encode("utf-16"),
        ["a tab separates the columns"],
    ),
    "UTF-16 of the other byte order": (b"\xfe\xff" + ONE_ROW.encode("utf-16-be"), []),
    "carriage returns and newlines": (ONE_ROW.replace("\n", "\r\n"), []),
    "carriage returns alone, as Excel's Macintosh": (ONE_ROW.replace("\n", "\r"), []),
    "no newline at the end": (ONE_ROW.rstrip(), []),
    "semicolons": (ONE_ROW.replace(",", ";"), ["; separates the columns"]),
    "tabs": (ONE_ROW.replace(",", "\t"), ["a tab separates the columns"]),
    "Excel's line of the separator": (
        "sep=;\n" + ONE_ROW.replace(",", ";"),
        ["the first line (sep=) is passed over", "; separates the columns"],
    ),
    "that line quoted": (f'"sep=,"\r\n{ONE_ROW}', ["the first line (sep=) is passed over"]),
    "capitals": (ONE_ROW.replace("dialogue_id,turn,videos", "Dialogue_ID,TURN,Videos"), []),
    "blanks in the heading": (ONE_ROW.replace("dialogue_id,", " Dialogue ID , "), []),
    "a whole turn as a float": (ONE_ROW.replace(",1,", ",1.0,"), []),
    "blanks around the cells": (ONE_ROW.replace("d1,1,", " d1 , 1 , "), []),
    "a column of row numbers": (",dialogue_id,turn,videos\n0,d1,1,v/a.mp4|v/b.mp4", []),
    "empty columns behind": (
        "dialogue_id,turn,videos,,\nd1,1,v/a.mp4|v/b.mp4,,,,\n",
        [],
    ),
    "blanks between names": (ONE_ROW.replace("|", " "), []),
    "semicolons between names": (ONE_ROW.replace("|", " ; "), []),
    "commas between names": ('dialogue_id,turn,videos\nd1,1,"v/a.mp4, v/b.mp4"\n', []),
    "a list of JSON": (
        'dialogue_id,turn,videos\nd1,1,"[""v/a.mp4"", ""v/\\u0062.mp4""]"\n',
        [],
    ),
    "a list of Python": (
        "dialogue_id\tturn\tvideos\nd1\t1\t['v/a.mp4', 'v/b.mp4']\n",
        ["a tab separates the columns"],
    ),
    "an array of numpy": ("dialogue_id,turn,videos\nd1,1,['v/a.mp4' 'v/b.mp4']\n", []),
    "a list without quotation marks": ('dialogue_id,turn,videos\nd1,1,"[v/a.mp4, v/b.mp4]"\n', []),
}  # fmt: skip


@pytest.mark.parametrize("kind", SAVED)
def test_the_same_answers_however_the_table_was_saved(kind, read):
    text, notes = SAVED[kind]
    given, report = read("csv", text)
    assert given["d1", 1].videos == BOTH
    assert list(report.notes) == notes
    assert not [what for what in report.counts if "known" in what or "does not have" in what]


def test_empty_rows_are_passed_over_and_counted(read):
    given, report = read("csv", ONE_ROW.replace("\nd1", "\n,,\n\nd1") + ",,\nnan,nan,nan\n")
    assert given["d1", 1].videos == BOTH
    assert report.counts["empty rows, passed over"] == 4


@pytest.mark.parametrize("word", ["nan", "NaN", "None", "null", "NA", "N/A", "<NA>", "NaT"])
def test_cells_that_say_nothing_in_words_are_empty(word, read):
    text = f"dialogue_id,turn,videos,response\nd1,1,v/a.mp4,{word}\nd2,1,{word},{word}\n"
    given, report = read("csv", text)
    assert (given["d1", 1].videos, given["d1", 1].response) == (("v/a.mp4",), None)
    assert given["d2", 1].videos == ()
    assert report.counts["cells that say nan, None or the like, read as empty"] == 3


def test_a_response_that_only_begins_so_is_one(read):
    given, report = read("csv", "dialogue_id,turn,response\nd1,3,None of them\n")
    assert given["d1", 3].response == "None of them"
    assert "cells" not in "".join(report.counts)


MOMENTS = {
    "as it should be": "v/a.mp4 1.5 2|v/b.mp4 3 4",
    "decimal commas": "v/a.mp4 1,5 2,0|v/b.mp4 3,0 4",
    "JSON objects": json.dumps(
        [
            {"video_id": "v/a.mp4", "start": 1.5, "end": 2},
            {"video_id": "v/b.mp4", "start": 3, "end": 4},
        ]
    ),
    "JSON lists": '[["v/a.mp4", 1.5, 2], ["v/b.mp4", 3, 4]]',
    "Python tuples": "[('v/a.mp4', 1.5, 2), ('v/b.mp4', '3', '4')]",
    "Python dicts": "[{'video_id': 'v/a.mp4', 'start': 1.5, 'end': 2.0}, ['v/b.mp4', 3, 4]]",
}


@pytest.mark.parametrize("kind", MOMENTS)
def test_the_same_moments_however_they_were_written(kind, read):
    given, report = read("csv", f"dialogue_id\tturn\tmoments\nd1\t2\t{quoted(MOMENTS[kind])}\n")
    assert given["d1", 2].moments == (Moment("v/a.mp4", 1500, 2000), Moment("v/b.mp4", 3000, 4000))
    commas = report.counts.get("times with a decimal comma, read as with a point", 0)
    assert commas == (3 if kind == "decimal commas" else 0)


def quoted(cell):
    return '"' + cell.replace('"', '""') + '"'


@pytest.mark.parametrize(
    "cell", ["[[" * 5000, "[1, 2]", "[{'video_id': 'v/a.mp4'}]", "[" * 9 + "]"]
)
def test_lists_that_are_no_moments_are_refused_in_one_line(cell, read):
    with pytest.raises(SubmissionError, match="in:2: expected a moment as VIDEO START END"):
        read("csv", f"dialogue_id\tturn\tmoments\nd1\t2\t{quoted(cell)}\n")


REFUSED = {
    "dialogue_id,turn,video\nd1,1,v/a.mp4\n": (
        'expected answers in columns videos, moments, choice, response, found "video"; '
        "did you mean videos?"
    ),
    "dialogue_id,turn,videos,respnse\n": 'found "respnse"; did you mean response?',
    "dialogue_id,turn,answer\n": (
        'found "answer"; name them so, one row a turn, its list in one cell'
    ),
    "dialogue_id,turn\n": "found none; name them so",
    "d1,1,v/a.mp4\n": 'expected a column dialogue_id, found "d1", "1", "v/a.mp4"; the first line',
    "dialogue_id,turn,videos\nd1,0,v/a.mp4\n": "in:2: turns count from 1, found 0; add 1 to every",
    "dialogue_id,turn,videos\nd1,1.5,v/a.mp4\n": 'expected a turn number, found "1.5"',
    "dialogue_id,turn,videos\nd1,-1,v/a.mp4\n": "expected a turn number",
    "dialogue_id,turn,videos\nd1,1,v/a.mp4,v/b.mp4\n": (
        "expected 3 cells as in the heading, found 4; put a cell that holds , into quotation marks"
    ),
    "sep=;\ndialogue_id;turn;videos\nd1;one;x\n": "in:3: expected a turn number",
    "dialogue_id,turn,videos,Videos\n": 'column "videos" occurs twice',
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_table_that_cannot_be_meant_is_refused_with_what_to_change(text, read):
    with pytest.raises(SubmissionError, match=re.escape(REFUSED[text])):
        read("csv", text)


def test_text_that_begins_like_utf_16_and_is_none_is_refused(read):
    with pytest.raises(SubmissionError, match="begins like UTF-16 text and is none"):
        read("csv", b"\xff\xfed\x00i")


def test_a_column_near_one_that_is_there_too_is_dropped(read):
    given, report = read("csv", "dialogue_id,turn,videos,video\nd1,1,v/a.mp4,x\n")
    assert given["d1", 1].videos == ("v/a.mp4",)
    assert report.counts['column "video", dropped'] == 1


def run_of(*rows):
    return "".join(f"d1/1 Q0 {video} {rank} {score} run\n" for video, rank, score in rows)


TIED = run_of(("v/a.mp4", 1, 1.0), ("v/b.mp4", 2, 1.0), ("v/c.mp4", 3, 1.0))
DISTANCES = run_of(("v/a.mp4", 1, 0.1), ("v/b.mp4", 2, 0.4), ("v/c.mp4", 3, 0.9))


def test_ranks_decide_where_scores_tie_and_topics_with_ties_are_counted(read):
    given, report = read("trec", TIED + "d2/1 Q0 v/d.mp4 1 2 run\n")
    assert given["d1", 1].videos == ("v/a.mp4", "v/b.mp4", "v/c.mp4")
    assert report.counts["topics with tied scores, where the rank column decided"] == 1


def test_distances_are_refused_with_both_ways_out_and_both_work(read):
    with pytest.raises(SubmissionError, match=r"negate the scores, or .* `--order rank`"):
        read("trec", DISTANCES + "d2/1 Q0 v/d.mp4 1 2 run\n")
    negated = re.sub(r"(0\.\d)", r"-\1", DISTANCES)
    for text, by_rank in ((negated, False), (DISTANCES, True)):
        assert read("trec", text, by_rank)[0]["d1", 1].videos == ("v/a.mp4", "v/b.mp4", "v/c.mp4")


def test_one_topic_whose_ranks_follow_its_scores_lets_scores_decide(read):
    other = "d2/1 Q0 v/d.mp4 1 2 run\nd2/1 Q0 v/e.mp4 2 1 run\n"
    given, report = read("trec", DISTANCES + other)
    assert given["d1", 1].videos == ("v/c.mp4", "v/b.mp4", "v/a.mp4")
    assert report.counts["topics whose ranks and scores disagree, ordered by score"] == 1


def test_order_by_rank_needs_numbers_and_a_format_with_ranks(read):
    with pytest.raises(SubmissionError, match="expected numbers in the rank column"):
        read("trec", "d1/1 Q0 v/b.mp4 first 0.5 run\n", by_rank=True)
    with pytest.raises(WrongUsageError, match="csv has no rank column"):
        read("csv", ONE_ROW, by_rank=True)


def test_turns_of_topics_count_from_one_too(read):
    with pytest.raises(SubmissionError, match="in:1: turns count from 1, found 0"):
        read("trec", "d1/0 Q0 v/a.mp4 1 3.0 run\nd1/1 Q0 v/b.mp4 1 2.0 run\n")
    assert read("trec", "d1/1.0 Q0 v/a.mp4 1 3 run\n")[0]["d1", 1].videos == ("v/a.mp4",)


@pytest.mark.parametrize("form", ["csv", "trec"])
def test_ids_without_their_ending_leave_no_turn_answered_and_one_hint(form, read, benchmark):
    text = ONE_ROW.replace(".mp4", "") if form == "csv" else TIED.replace(".mp4", "")
    given, report = read(form, text)
    assert answered(benchmark.split(), tuple(given.values())) == 0
    assert report.lines()[0] == (
        "videos that are not known, such as v/a; did you mean v/a.mp4 (it differs only by .mp4)?"
    )


def test_convert_exits_with_1_and_writes_nothing_if_no_turn_is_answered(ivcr, tmp_path, benchmark):
    (tmp_path / "run").write_text(TIED.replace(".mp4", ""))
    where = ("--benchmark", benchmark.folder, "--out", tmp_path / "sub")
    code, out, err = ivcr("submission", "convert", "trec", tmp_path / "run", *where)
    assert code == 1
    assert "did you mean v/a.mp4" in out
    assert "0 turns answered of the 5 of split test" in err
    assert not (tmp_path / "sub").exists()


def test_convert_says_how_many_turns_are_answered(ivcr, tmp_path, benchmark):
    (tmp_path / "run").write_text(DISTANCES)
    where = ("--benchmark", benchmark.folder, "--out", tmp_path / "sub")
    convert_run = ("submission", "convert", "trec", tmp_path / "run", *where)
    assert ivcr(*convert_run)[0] == 1
    code, out, _ = ivcr(*convert_run, "--order", "rank")
    assert code == 0
    assert f"{tmp_path / 'sub'}: 1 of 5 turns answered; next: ivcr validate" in out


def test_answers_of_another_split_are_named_with_it(tmp_path):
    bench = imported(tmp_path, [*SAMPLES, dialogue(talk("hello", "hi"), split="val", code=0)])
    name = bench.split("val").turns[0].dialogue_id
    (tmp_path / "t").write_text(f"dialogue_id,turn,response,videos\n{name},1,hi,{CAT}\n")
    report = convert("csv", tmp_path / "t", bench).report
    assert report.notes == (
        f"split test has no dialogue {name}; it is one of split val: name `--split val` if the "
        "file answers that",
    )


# The cases lie beside the project; ids adapted to the benchmark here.
CASES = REPOSITORY.parent / "shared" / "cases" / "tables"
READ = {
    "semicolon.csv": "; separates the columns",
    "tab.csv": "a tab separates the columns",
    "excel-sep.csv": "the first line (sep=) is passed over",
    "capitals.csv": "",
    "float-turn.csv": "",
    "blank-rows.csv": "        2  empty rows, passed over",
    "nan-cells.csv": "        3  cells that say nan, None or the like, read as empty",
    "all-tied.run": "        1  topics with tied scores, where the rank column decided",
}
NOT_READ = {
    "wrong-column.csv": "did you mean videos?",
    "distances.run": "negate the scores",
    "turn-from-zero.run": "turns count from 1",
}


@pytest.mark.skipif(not CASES.is_dir(), reason="needs ../shared/cases, which is not here")
def test_the_cases_beside_the_project_are_read_as_they_want(read, benchmark):
    wanted = json.loads((CASES / "want.json").read_bytes())
    assert wanted.keys() == READ.keys() | NOT_READ.keys() | {"no-extension.run"}
    for name in wanted:
        text = re.sub(r"\b([abc])(?=\.mp4| [12] )", r"v/\1", (CASES / name).read_text("utf-8"))
        text = text.replace("D1", "d1")
        form = "csv" if name.endswith(".csv") else "trec"
        if name in NOT_READ:
            with pytest.raises(SubmissionError, match=re.escape(NOT_READ[name])):
                read(form, text)
            continue
        given, report = read(form, text)
        if name == "no-extension.run":
            assert "(it differs only by .mp4)?" in report.lines()[0]
            assert answered(benchmark.split(), tuple(given.values())) == 0
            continue
        assert READ[name] in ["", *report.lines()]
        first = given["d1", 1]
        many = {"nan-cells.csv": 1, "all-tied.run": 3}.get(name, 2)
        assert first.videos == ("v/a.mp4", "v/b.mp4", "v/c.mp4")[:many]
        assert first.response is None
        assert not given["d1", 2].moments
