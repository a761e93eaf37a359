"""Converters: what comes out is valid, in the foreign tool's order, and what is lost is counted."""

import pytest
import pytrec_eval

from harness.benchmark import Benchmark
from harness.errors import EnvironmentFailure, SubmissionError, WrongUsageError
from harness.formats import FORMATS, convert, format_named
from harness.records import Moment
from harness.submission import write
from harness.validation import check
from tests.comparison.worlds import world
from tests.validation.samples import VIDEOS, write_benchmark


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory):
    return Benchmark(write_benchmark(tmp_path_factory.mktemp("formats") / "benchmark"))


def converted(form, text, tmp_path, benchmark):
    file = tmp_path / f"in.{form}"
    file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    made = convert(form, file, benchmark)
    write(tmp_path / "sub", format_named(form).card, made.predictions)
    assert check(tmp_path / "sub", benchmark).report.errors == 0
    return {given.key: given for given in made.predictions}, made.report.counts


RUN = """\
d1/1 Q0 v/b.mp4 1 0.5 run
d1/1 Q0 v/a.mp4 2 0.9 run

d1/1 Q0 v/c.mp4 3 0.5 run
d1/1 Q0 v/none.mp4 4 0.4 run
d1/1 Q0 v/c.mp4 5 -1e3 run
d1/1 Q0 v/d.mp4 6 -2e3 run
d2/1 Q0 v/d.mp4 1 7 run
d9/1 Q0 v/d.mp4 1 7 run
d1/2 Q0 v/d.mp4 1 7 run
"""


def test_trec_run(tmp_path, benchmark):
    given, dropped = converted("trec", RUN, tmp_path, benchmark)
    assert given["d1", 1].videos == ("v/a.mp4", "v/b.mp4", "v/c.mp4", "v/d.mp4")
    assert given["d2", 1].videos == ("v/d.mp4",)
    assert given["d2", 2].videos == ()
    assert dropped == {
        "chat turns without an answer, filled with abstentions": 1,
        "lines of topics that are no video turn of the split, dropped": 2,
        "moment turns without an answer, filled with abstentions": 1,
        "topics whose ranks and scores disagree, ordered by score": 1,
        "topics with tied scores, where the rank column decided": 1,
        "video turns without an answer, filled with abstentions": 1,
        "videos that are not known, dropped": 1,
        "videos that occur twice, dropped": 1,
    }


def test_trec_order_is_that_of_trec_eval(tmp_path, benchmark):
    """The reciprocal rank that trec_eval gives each video of a run full of ties is our rank."""
    scores = {video: [0.25, 1.0, 1e-3][n % 3] for n, video in enumerate(VIDEOS[:40])}
    text = "".join(f"d1/1 Q0 {video} 1 {score} run\n" for video, score in scores.items())
    ranking = converted("trec", text, tmp_path, benchmark)[0]["d1", 1].videos
    for rank, video in enumerate(ranking, start=1):
        judged = pytrec_eval.RelevanceEvaluator({"q": {video: 1}}, {"recip_rank"})
        assert judged.evaluate({"q": scores})["q"]["recip_rank"] == pytest.approx(1 / rank)


def test_trec_keeps_the_first_hundred(tmp_path, benchmark):
    text = "".join(f"d1/1 Q0 {video} 1 {-n} run\n" for n, video in enumerate(VIDEOS))
    given, dropped = converted("trec", text, tmp_path, benchmark)
    assert given["d1", 1].videos == tuple(VIDEOS[:100])
    assert dropped["videos past the first 100, dropped"] == len(VIDEOS) - 100


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("d1/1 Q0 v/b.mp4 1 0.5", "found 5"),
        ("d1 Q0 v/b.mp4 1 0.5 run", "DIALOGUE/TURN"),
        ("d1/x Q0 v/b.mp4 1 0.5 run", "DIALOGUE/TURN"),
        ("d1/1 Q0 v/b.mp4 1 best run", "a number as score"),
        ("d1/1 Q0 v/b.mp4 1 nan run", "a number as score"),
        ("d1/\x1b[2J Q0 v/b.mp4 1 1 run", r"\\x1b"),
    ],
)
def test_trec_line_that_is_none(line, found, tmp_path, benchmark):
    (tmp_path / "run").write_text(f"d1/1 Q0 v/b.mp4 1 0.5 run\n{line}\n")
    with pytest.raises(SubmissionError, match=rf"run:2: .*{found}"):
        convert("trec", tmp_path / "run", benchmark)


TABLE = """\
turn,dialogue_id,videos,moments,choice,response,confidence
1,d1,v/b.mp4 | v/a.mp4|v/none.mp4,,v/a.mp4|v/k.mp4,,0.5
2,d1,,v/a.mp4 1.5 2|v/a.mp4 25 30.5|v/a.mp4 31 32|v/q.mp4 1 2,,,
3,d1,,,,"yes, ""that"" one
and more",
1,d2,,,,only words,
7,d2,v/a.mp4,,,,
3,d1,,,,again,
"""


def test_csv_times_that_are_milliseconds_are_named(tmp_path, benchmark):
    (tmp_path / "in.csv").write_text(
        "dialogue_id,turn,moments\n"
        "d1,2,v/a.mp4 0 2000|v/a.mp4 31 32|v/a.mp4 1500 32000|v/a.mp4 2000 1500\n"
    )
    counts = convert("csv", tmp_path / "in.csv", benchmark).report.counts
    what = "moments that are not within their video"
    assert {name: number for name, number in counts.items() if name.startswith(what)} == {
        f"{what}, dropped": 3,
        f"{what} (as milliseconds they would be: divide times by 1000), dropped": 1,
    }


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_csv_with_a_row_a_turn(mark, tmp_path, benchmark):
    given, dropped = converted("csv", mark + TABLE, tmp_path, benchmark)
    assert given["d1", 1].videos == ("v/b.mp4", "v/a.mp4")
    assert given["d1", 1].choice == ("v/a.mp4",)
    assert given["d1", 2].moments == (
        Moment("v/a.mp4", 1500, 2000),
        Moment("v/a.mp4", 25_000, 30_000),
    )
    assert given["d1", 3].response == 'yes, "that" one\nand more'
    assert given["d2", 1].videos == given["d2", 2].videos == ()
    assert dropped == {
        "choices that are not known, dropped": 1,
        'column "confidence", dropped': 1,
        "moments in videos that are not known, dropped": 1,
        "moments that are not within their video, dropped": 1,
        "rows of a turn answered before (one row a turn, its list in one cell), dropped": 1,
        "rows of turns that the split does not have, dropped": 1,
        "rows without what their turn needs, dropped": 1,
        "video turns without an answer, filled with abstentions": 2,
        "videos that are not known, dropped": 1,
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "expected a column dialogue_id"),
        ("dialogue_id,videos\n", "expected a column turn"),
        ("dialogue_id,turn,turn\n", "occurs twice"),
        ("dialogue_id,turn,videos\nd1,1\n", "expected 3 cells"),
        ("dialogue_id,turn,videos\nd1,one,x\n", "a turn number"),
        ("dialogue_id,turn,moments\nd1,2,v/a.mp4 1\n", "VIDEO START END"),
        ("dialogue_id,turn,moments\nd1,2,v/a.mp4 1 inf\n", "VIDEO START END"),
        ("dialogue_id,turn,moments\nd1,2,v/a.mp4 1 1e300\n", "VIDEO START END"),
        ('dialogue_id,turn,response\nd1,3,"yes\n', "not CSV"),
        (b"dialogue_id,turn,response\nd1,3,\xff\n", "UTF-8"),
    ],
)
def test_csv_that_is_none(text, found, tmp_path, benchmark):
    (tmp_path / "t").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SubmissionError, match=found):
        convert("csv", tmp_path / "t", benchmark)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A benchmark with gold and the imported file, which some formats are read with."""
    return world(tmp_path_factory.mktemp("labelled"), (1, "v0 m0"), (1, "v1 c"))


@pytest.mark.parametrize("form", FORMATS)
def test_file_that_is_not_there_is_a_failed_environment(form, tmp_path, labelled):
    with pytest.raises(EnvironmentFailure, match="none: "):
        convert(form, tmp_path / "none", labelled)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("data", [b"\xff\xfe\n", b'"[{ <', b"[" * 100_000])
def test_file_that_is_not_in_the_format_is_refused(form, data, tmp_path, labelled):
    (tmp_path / "in").write_bytes(data)
    with pytest.raises(SubmissionError, match="in:"):
        convert(form, tmp_path / "in", labelled)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_says_what_it_is_and_starts_from_a_card(form):
    assert 20 < len(FORMATS[form]) <= 100
    assert format_named(form).card.kind == "predictions"


def test_unknown_format_is_refused_with_the_names_of_all():
    with pytest.raises(WrongUsageError, match=f"expected one of: {', '.join(FORMATS)}"):
        format_named("xml")
