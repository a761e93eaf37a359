"""Views of tables: the front of value and cost, the best figure over time, what cards declare."""

import re
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from leaderboard.board.records import BoardContents, BoardEvent, Standing
from leaderboard.site.plots import ceiling
from leaderboard.site.views.cost_plots import cost_plots
from leaderboard.site.views.declared import (
    LANGUAGES,
    TRAINING,
    declared_filters,
    row_attributes,
)
from leaderboard.site.views.progress_plots import AREA, minutes, progress_plot
from leaderboard.site.wording import Words
from leaderboard.tables.ranked_table import track_tables
from leaderboard.tables.seeds import fold_seeds
from leaderboard.tables.tracks import Track
from tests.leaderboard import generated
from tests.leaderboard.conftest import build
from tests.leaderboard.generated import METRICS
from tests.leaderboard.html_reading import Page
from tests.leaderboard.tables.test_ranked_table import entry, video

EN = Words("en")
HOSTILE = '"><script>alert(1)</script>\u202e' + "x" * 300
DAYS = tuple(f"2026-0{month}-1{day}T08:00:00Z" for month in (1, 2) for day in range(5))


def run(key, value, at="", *, floor=False, metric="R@1", **fields):
    row = entry(key, floor=floor, **{metric: value})
    card = replace(row.card, system=fields.pop("system", key), **fields)
    return row._replace(card=card, accepted=at)


def table_of(rows, metric="R@1", detectable=None):
    (made,) = track_tables(Track("video", (metric,)), fold_seeds(rows), METRICS)
    return made._replace(standing=Standing(detectable=detectable))


def contents(rows):
    events = [BoardEvent(row.accepted, "accepted", row.key) for row in rows if row.accepted]
    return BoardContents(tuple(rows), (), (), events=tuple(events))


def built(rows, folder, made=None, labels="public"):
    """The pages of a board's video track, in both languages."""
    build(contents(rows), generated.bench(folder, labels), folder / "site", made)
    return [
        (folder / "site/tracks" / f"video{end}").read_text("utf-8") for end in (".html", ".zh.html")
    ]


def corners(path):
    """The places that a path of M, H, V and Z goes through."""
    x = y = 0.0
    for command, first, second in re.findall(r"([MHV])([\d.]+)(?: ([\d.]+))?", path):
        x = float(first) if command in "MH" else x
        y = float(second) if command == "M" else float(first) if command == "V" else y
        yield x, y


def height(path, place):
    """The height of a step line just before a place of the horizontal axis."""
    found = list(corners(path))
    return [y for x, y in found if x < place][-1]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(DAYS), st.floats(0.01, 1)), min_size=2, max_size=9),
    st.sampled_from(["R@1", "MedR"]),
)
def test_the_line_is_at_the_best_figure_accepted_so_far(found, metric):
    rows = [run(f"s{n}", value, at, metric=metric) for n, (at, value) in enumerate(found)]
    plot = progress_plot(table_of(rows, metric), EN)
    if len({at for at, _ in found}) < 2:
        assert plot is None
        return
    best, high = max if metric == "R@1" else min, ceiling([value for _, value in found])
    first, *_, last = sorted(datetime.fromisoformat(at) for at, _ in found)
    for n, (at, _) in enumerate(sorted(found)):
        upto = best(value for when, value in found if when <= at)
        x = AREA.x((datetime.fromisoformat(at) - first) / (last - first))
        assert height(plot.line, x + 0.2) == pytest.approx(AREA.y(upto / high), abs=0.06)
        assert plot.listed[n].at == at
    for step in plot.listed:
        assert step.best.cells[0].value in [value for at, value in found if at <= step.at]
    assert len(plot.dots) == plot.dated == len(found)
    raised = [step.best.cells[0].value for step in plot.listed if step.raised]
    assert raised == sorted(set(raised), reverse=metric == "MedR")


@pytest.mark.parametrize(("metric", "sign"), [("R@1", -1), ("MedR", 1)])
def test_the_band_is_as_wide_as_the_detectable_difference_on_the_worse_side(metric, sign):
    better = (0.5, 0.75) if metric == "R@1" else (0.75, 0.5)
    rows = [run(f"s{n}", each, DAYS[n], metric=metric) for n, each in enumerate(better)]
    plot = progress_plot(table_of(rows, metric, 0.125), EN)
    high = ceiling([*better, better[0] + sign * 0.125])
    heights = [y for _, y in corners(plot.band)]
    expected = [AREA.y(value / high) for each in better for value in (each, each + sign * 0.125)]
    assert sorted(set(heights)) == pytest.approx(sorted(expected), abs=0.06)
    assert plot.detectable == ("12.5 points" if metric == "R@1" else "0.12 rank")


@pytest.mark.parametrize("size", [None, 0.0, 0.0004])
def test_a_difference_that_is_none_has_no_band_and_no_sentence(size, tmp_path):
    rows = [run("a", 0.5, DAYS[0]), run("b", 0.6, DAYS[1])]
    table = video(rows)._replace(standing=Standing(detectable=size))
    assert progress_plot(table, EN).band is None
    for page in built(rows, tmp_path, (table,)):
        assert 'class="band"' not in page
        assert "The band beside the line" not in page
        assert "色带" not in page
        assert 'class="progress"' in page


def test_hidden_labels_show_the_rounded_figures_over_time_and_no_band(tmp_path):
    rows = [run(f"s{n}", 0.5 + n / 8, DAYS[n])._replace(rounded=True) for n in range(3)]
    for page in built(rows, tmp_path, labels="hidden"):
        section = page[page.index('class="progress"') :]
        assert re.findall(r'<data value="([\d.]+)">', section) == [
            each for n in range(3) for each in 2 * [f"{0.5 + n / 8:g}"]
        ]
        assert 'class="band"' not in page
        assert 'class="whisker"' not in page


@pytest.mark.parametrize(
    "rows",
    [
        [run("a", 0.5), run("b", 0.6)],  # no ledger
        [run("a", 0.5, DAYS[0]), run("b", 0.6)],  # one time
        [run("a", 0.5, DAYS[0]), run("b", 0.6, DAYS[0])],  # the same time twice
        [run("a", 0.5, DAYS[0]), run("b", 0.6, DAYS[1], control="broken")],
        [run("a", 0.5, DAYS[0]), run("b", 0.6, DAYS[1], floor=True)],
    ],
)
def test_without_two_times_of_ranked_rows_there_is_no_line(rows, tmp_path):
    for page in built(rows, tmp_path):
        assert 'class="progress"' not in page


def test_seeds_count_from_the_last_of_them_and_rows_without_a_time_are_told():
    seeds = [run(f"t/s{n}", 0.5, DAYS[n], seed=n + 1, system="one") for n in range(3)]
    rows = [*seeds, run("other", 0.4, DAYS[1]), run("silent", 0.3)]
    plot = progress_plot(table_of(rows), EN)
    assert [step.at for step in plot.listed] == [DAYS[1], DAYS[2]]
    assert (plot.dated, plot.undated) == (2, 1)


def test_of_many_rows_those_that_raised_the_best_are_listed(tmp_path):
    rows = [run(f"s{n:03}", 0.5 if n % 50 else 0.5 + n / 1000, DAYS[n % 10]) for n in range(140)]
    plot = progress_plot(video(rows), EN)
    assert plot.dated == 140
    assert 0 < len(plot.listed) < 10
    assert "Of 140 rows those that raised the best figure." in built(rows, tmp_path)[0]


def test_a_time_within_one_day_has_the_ends_of_the_axis():
    rows = [run("a", 0.5, "2026-03-01T08:00:00Z"), run("b", 0.6, "2026-03-01T09:30:00.5Z")]
    plot = progress_plot(table_of(rows), EN)
    assert [tick.text for tick in plot.x_ticks] == ["03-01 08:00", "03-01 09:30"]
    assert minutes("2026-03-01T09:30:59Z") == "2026-03-01 09:30"


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4000))
def test_few_days_stand_on_the_axis_and_inside_it(days):
    last = datetime.fromtimestamp(1.7e9 + 86_400 * days).isoformat() + "Z"
    first = datetime.fromtimestamp(1.7e9).isoformat() + "Z"
    plot = progress_plot(table_of([run("a", 0.5, first), run("b", 0.6, last)]), EN)
    assert 1 <= len(plot.x_ticks) <= 4
    assert all(AREA.left <= float(tick.at) <= AREA.width - AREA.right for tick in plot.x_ticks)


def priced(values, costs, **standing):
    rows = [run(f"s{n}", value, cost={"s": cost})
            for n, (value, cost) in enumerate(zip(values, costs, strict=True))]  # fmt: skip
    table = video([*rows, run("floor", 0.05, floor=True, cost={"s": 0})])
    keys = [row.entry.key for row in table.rows if row.rank is not None]
    spans = standing.get("ranges", [])
    ranges = {key: span for key, span in zip(keys, spans, strict=False) if span}
    return table._replace(standing=Standing(ranges=ranges))


def test_the_front_is_drawn_as_diamonds_and_the_rest_as_dots():
    table = priced((0.9, 0.6, 0.5), (5, 9, 1), ranges=[(1, 1), (2, 3), (2, 3)])
    (plot,) = cost_plots(table, EN)
    assert plot.basis == "ranks"
    assert [point.row.entry.key for point in plot.listed] == ["s2", "s0", "s1"]
    assert [[row.entry.key for row in point.dominators] for point in plot.listed] == [
        [],
        [],
        ["s0"],
    ]
    assert len(plot.front) == 2
    assert len(plot.dots) == 2, "the dominated row, and the floor, which takes no part"


def page_with(table, folder, labels="public"):
    rows = [row.entry for row in table.rows]
    return built(rows, folder, (table,), labels)


def test_who_dominates_whom_is_text_in_both_languages(tmp_path):
    table = priced((0.9, 0.6, 0.5), (5, 9, 1), ranges=[(1, 1), (2, 3), (2, 3)])
    texts = page_with(table, tmp_path)
    assert '<td class="text">1\N{NO-BREAK SPACE}<bdi>s0</bdi></td>' in texts[0]
    english, chinese = map(Page, texts)
    text = " ".join(english.text)
    assert "Who dominates whom" in text
    assert "◆ not dominated" in text
    assert "Differences of single pairs are not shown for this table" in text
    assert "支配关系" in " ".join(chinese.text)
    paths = [tag for tag in english.tags if tag.attributes.get("class") == "front"]
    assert len(paths) == 2, "the key and the plot"


@pytest.mark.parametrize("spans", [[], [(1, 1)]])
def test_nothing_explains_marks_that_are_not_there(tmp_path, spans):
    table = priced((0.9, 0.6, 0.5), (5, 9, 1), ranges=spans)
    for page in page_with(table, tmp_path):
        assert 'class="costs"' in page
        assert 'class="front"' not in page
        assert not re.search("dominate|支配", page)


def test_many_dominators_are_counted_and_many_rows_cut(tmp_path):
    number = 104
    spans = [(n + 1, n + 1) for n in range(number)]
    table = priced([0.9 - n / 200 for n in range(number)], range(1, number + 1), ranges=spans)
    (plot,) = cost_plots(table, EN)
    assert (plot.tested, len(plot.listed), len(plot.front)) == (number, 50, 1)
    page = page_with(table, tmp_path)[0]
    assert "The 50 cheapest of 104 rows." in page
    assert "46 more" in page


def test_names_of_strangers_are_text_in_every_view(tmp_path):
    rows = [run(f"r{n}", 0.9 - n / 9, DAYS[n], system=HOSTILE[:60], team=HOSTILE[:200],
                cost={HOSTILE[:30] + " (s)": n + 1}, languages=(HOSTILE[:200],),
                training_data=(HOSTILE[:200],) * 100) for n in range(3)]  # fmt: skip
    table = video(rows)
    keys = [row.entry.key for row in table.rows]
    spans = {key: (n + 1, n + 1) for n, key in enumerate(keys)}
    table = table._replace(standing=Standing(ranges=spans, detectable=0.1))
    for text in built(rows, tmp_path, (table,)):
        assert "<script>alert" not in text
        assert "\u202e" not in text
        page = Page(text)
        assert 'class="progress"' in text
        assert 'class="dominance"' in text
        assert sum(tag.name == "script" for tag in page.tags) == 2
        assert {
            name for tag in page.tags for name in tag.attributes if name.startswith("on")
        } == set()
    front = Page((tmp_path / "site/index.html").read_text("utf-8"))
    assert sum(tag.name == "script" for tag in front.tags) == 2


def attributes(**fields):
    row = video([run("a", 0.5, fields.pop("at", ""), **fields)]).rows[0]
    (tag,) = Page(f"<tr{row_attributes(row)}>").tags
    return {name.removeprefix("data-"): value for name, value in tag.attributes.items()}


def test_a_row_says_what_its_card_declares_and_nothing_else():
    assert attributes() == {}
    assert attributes(languages=("EN", "zh|x"), weights="open", annotations="gold spans",
                      training_data=(), parameters="7B", at=DAYS[0]) == {
        "languages": "en|zh/x", "weights": "open", "labels": "2", "training": "",
        "size": "7000000000", "accepted": "2026-01-10",
    }  # fmt: skip
    assert "size" not in attributes(parameters="a few")
    floor = video([run("a", 0.5), run("f", 0.1, floor=True, languages=("en",))]).rows[1]
    assert row_attributes(floor) == ""


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=200), max_size=100))
def test_attributes_are_bounded_and_one_line(lines):
    found = attributes(languages=tuple(lines), training_data=tuple(lines))
    assert len(found["languages"]) <= LANGUAGES
    assert len(found["training"]) <= TRAINING
    assert all(value.isprintable() for value in found.values())


def test_a_page_has_the_filters_of_which_some_row_declares_something(tmp_path):
    def named(*rows):
        page = Page(built(rows, tmp_path)[0])
        fields = ("input", "select")
        return {tag.attributes["name"] for tag in page.tags if tag.name in fields}

    always = {"words", "history", "candidates", "floors"}
    assert named(run("a", 0.5)) == always
    assert named(run("a", 0.5), run("f", 0.1, floor=True, parameters=3, weights="open")) == always
    assert named(run("a", 0.5, weights="closed"), run("b", 0.4)) == always | {"weights"}
    assert named(run("a", 0.5, languages=("en",), parameters=1)) == always | {"language", "size"}
    assert named(run("a", 0.5, training_data=("x",), annotations="none")) == always | {
        "training",
        "labels",
    }
    assert named(run("a", 0.5, DAYS[0])) == always | {"since"}


def test_the_commonest_languages_can_be_chosen():
    rows = [run(f"s{n}", 0.5, languages=(f"l{n}", "en")) for n in range(40)]
    found = declared_filters(video(rows).rows).languages
    assert found[:2] == ("en", "l0")
    assert len(found) == 30


def test_an_empty_board_has_none_of_this(tmp_path):
    build(BoardContents((), (), ()), generated.bench(tmp_path), tmp_path / "site")
    page = (tmp_path / "site/index.html").read_text("utf-8")
    assert 'id="filter"' not in page


def test_a_table_depends_on_when_its_rows_were_accepted_and_its_tests_do_not():
    early, late = (video([run("a", 0.5, DAYS[0]), run("b", 0.4, at)]) for at in DAYS[1:3])
    assert early.digest != late.digest
    assert [row.entry.identity for row in early.rows] == [row.entry.identity for row in late.rows]
