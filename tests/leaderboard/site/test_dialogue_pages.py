"""The dialogue browser: each dialogue once, with its gold, and each verdict as a hand gives it."""

import re
from types import SimpleNamespace

import av
import numpy as np
import pytest

from harness.records import Card, Moment, Prediction
from harness.statistics import Design
from harness.submission import write
from leaderboard.board.outcomes import TurnValues
from leaderboard.results.dialogue_source import (
    BrowsedAnswer,
    BrowsedDialogue,
    BrowsedTurn,
    DialogueSource,
    read_dialogues,
)
from leaderboard.results.frame_strips import frame_strip
from leaderboard.site import dialogue_pages
from leaderboard.site.dialogue_pages import DialogueBrowser
from leaderboard.site.pages import Pages
from leaderboard.site.site_paths import page_of
from tests.baselines.conftest import CAT, DOG, FOX, imported
from tests.leaderboard import generated
from tests.leaderboard.html_reading import Page
from tests.leaderboard.site.test_builder import HOSTILE
from tests.leaderboard.tables.test_ranked_table import entry


@pytest.fixture
def toy(tmp_path):
    """A benchmark of three test dialogues, and a run that says cat first in every turn."""
    benchmark = imported(tmp_path)
    predictions = [
        Prediction(
            turn.dialogue_id,
            turn.turn,
            videos=(CAT, DOG, FOX) if turn.task == "video" else None,
            moments=(Moment(CAT, 2000, 7000),) if turn.task == "moment" else None,
            response="hm" if turn.task == "chat" else None,
        )
        for turn in benchmark.split().turns
    ]
    write(tmp_path / "run", Card(1, "team", "cat", "none", "unused"), predictions)
    return SimpleNamespace(benchmark=benchmark, run=tmp_path / "run")


def test_every_turn_is_told_once_with_its_gold_and_a_verdict_that_a_hand_can_check(toy):
    dialogues = list(read_dialogues(toy.benchmark, "test", [toy.run]))
    gold = toy.benchmark.gold()
    assert [(d.name, t.turn) for d in dialogues for t in d.turns] == [tuple(g.key) for g in gold]
    assert [t.video for d in dialogues for t in d.turns] == [g.video_id for g in gold]
    # The span 2.5 s to 7.5 s against 2 s to 7 s: 4.5 s of 5.5 s.
    assert [[turn.answers[0].right for turn in each.turns] for each in dialogues] == [
        [True, True, False, False], [False, False], [False, False, False],
    ]  # fmt: skip
    assert [turn.answers[0].rank for turn in dialogues[0].turns] == [1, None, 2, 2]
    assert dialogues[0].turns[1].answers[0].moment == (CAT, (2.0, 7.0))
    assert dialogues[0].turns[1].moment == (2.5, 7.5)


def test_a_browser_without_systems_shows_gold_alone(toy):
    dialogues = list(read_dialogues(toy.benchmark, "test", []))
    assert {turn.answers for each in dialogues for turn in each.turns} == {()}


def source(dialogues, strips=()):
    rows = np.repeat(np.arange(len(dialogues)), [len(each.turns) for each in dialogues])
    numbers = np.array([turn.turn for each in dialogues for turn in each.turns], dtype=int)
    types = np.array([each.type for each in dialogues for _ in each.turns], dtype=int)
    design = Design.of(rows, np.arange(len(rows)), np.ones(len(rows)), draws=9)
    names = tuple(each.name for each in dialogues)
    return DialogueSource(
        rows, types, numbers, lambda: design, names, lambda _: dialogues, dict(strips).get
    )


def turn(number, text="what", video=CAT, moment=None, answers=()):
    task = "moment" if moment else "video"
    return BrowsedTurn(number, task, "en", text, "It is video 1.", video, moment, 30.0, answers)


def pages(tmp_path, dialogues, entries=(), strips=()):
    made = Pages(generated.bench(tmp_path), browsing=True)
    content = source(dialogues, strips)
    where = lambda entry: tmp_path / entry.key  # noqa: E731
    browser = DialogueBrowser(lambda: content, tuple(entries), where, where)
    return dict(dialogue_pages.files(made, browser))


def test_each_dialogue_stands_once_on_the_page_that_links_lead_to(tmp_path):
    dialogues = [BrowsedDialogue(f"d{n}", 1, (turn(1),)) for n in range(60)]
    made = pages(tmp_path, dialogues)
    assert len(made) == 2 * (3 + 1), "and the search"
    for n in range(60):
        page = Page(made[f"{page_of(n)}.html"])
        assert page.attributes("id").count(f"d{n + 1}") == 1
        assert f"d{n}" in page.text
    links = [Page(made[f"dialogues/{n}.html"]).attributes("rel") for n in (1, 2, 3)]
    assert [sorted(rel for rel in each if rel in ("prev", "next")) for each in links] == [
        ["next", "next"], ["next", "next", "prev", "prev"], ["prev", "prev"],
    ]  # fmt: skip


def test_a_span_in_the_gold_video_is_drawn_and_one_elsewhere_is_named(tmp_path):
    answers = (
        BrowsedAnswer(True, None, (CAT, (2.0, 7.0)), None),
        BrowsedAnswer(False, None, (DOG, (1.0, 3.0)), None),
    )
    dialogues = [BrowsedDialogue("d", 1, (turn(1, moment=(2.5, 7.5), answers=answers),))]
    made = pages(tmp_path, dialogues, [entry("a/b"), entry("a/c")])
    html = made["dialogues/1.html"].decode()
    (line,) = re.findall(r'<svg class="timeline".*?</svg>', html)
    x, width = (float(re.search(rf'class="said"[^>]* {name}="([\d.]+)"', line)[1])
                for name in ("x", "width"))  # fmt: skip
    assert (x / 240, width / 240) == (pytest.approx(2 / 30), pytest.approx(5 / 30))
    text = Page(html).text
    assert "2.5–7.5 s" in " ".join(text)
    assert {"right", "wrong", DOG} <= set(text)


def test_foreign_words_are_text_and_pictures_come_from_the_site_alone(tmp_path):
    answers = (BrowsedAnswer(False, HOSTILE, None, 3),)
    dialogues = [BrowsedDialogue(HOSTILE, 1, (turn(1, HOSTILE, HOSTILE, answers=answers),))]
    made = pages(tmp_path, dialogues, [entry(f"{HOSTILE}/{HOSTILE}")], {HOSTILE: b"jpeg"})
    page = Page(made["dialogues/1.html"])
    assert not [name for tag in page.tags for name in tag.attributes if name.startswith("on")]
    (picture,) = page.attributes("src")
    assert made[f"dialogues/{picture}"] == b"jpeg"
    assert re.fullmatch(r"[0-9a-f]{16}\.jpg", picture)
    assert "<script>alert(1)</script>" in " ".join(page.text)
    assert "\u202e" not in made["dialogues/1.html"].decode()
    (policy,) = [t.attributes["content"] for t in page.tags if "http-equiv" in t.attributes]
    assert "img-src data: 'self' file:;" in policy
    assert "default-src 'none'" in policy


def test_systems_that_answer_alike_stand_in_one_row_in_the_order_of_the_first(tmp_path):
    cat, dog = BrowsedAnswer(True, CAT, None, 1), BrowsedAnswer(False, DOG, None, 2)
    dialogues = [BrowsedDialogue("d", 1, (turn(1, answers=(cat, dog, cat, dog._replace(rank=3))),))]
    page = Page(pages(tmp_path, dialogues, [entry(f"a/{n}") for n in "pqrs"])["dialogues/1.html"])
    rows = [tag for tag in page.tags if tag.name == "tr"]
    assert [row.attributes["class"] for row in rows] == ["right", "wrong", "wrong"]
    text = " ".join(page.text)
    assert "1 a/p , 3 a/r right" in text
    assert "2 a/q wrong" in text
    assert "4 a/s wrong" in text


def test_a_picture_past_the_limit_is_left_out(tmp_path):
    huge = {CAT: b"x" * (dialogue_pages.LARGEST_STRIP + 1)}
    made = pages(tmp_path, [BrowsedDialogue("d", 1, (turn(1),))], strips=huge)
    assert not [name for name in made if name.endswith(".jpg")]
    assert Page(made["dialogues/1.html"]).attributes("src") == []


def test_a_strip_stands_once_for_the_turns_about_one_video_with_their_moments(tmp_path):
    chat = turn(2, video=None)._replace(task="chat")
    turns = (
        turn(1), chat, turn(3, moment=(3.0, 6.0)), turn(4, moment=(15.0, 30.0)),
        turn(5, video=DOG), turn(6, video="unseen"), turn(7, video=DOG),
    )  # fmt: skip
    dialogue = BrowsedDialogue("d", 1, turns)
    names = {CAT: "cat.jpg", DOG: "dog.jpg"}
    marked = dialogue_pages.marked_strips(dialogue, names)
    assert {at: (strip.file, strip.moments) for at, strip in marked.items()} == {
        1: ("cat.jpg", ((3, (3.0, 6.0)), (4, (15.0, 30.0)))),
        5: ("dog.jpg", ()),
        7: ("dog.jpg", ()),
    }
    made = pages(tmp_path, [dialogue], strips={CAT: b"cat", DOG: b"dog"})
    html = made["dialogues/1.html"].decode()
    assert html.count("<img ") == 3
    (marks,) = re.findall(r'<svg class="marks".*?</svg>', html)
    width = float(re.search(r'viewBox="0 0 ([\d.]+) ', marks)[1])
    spans = [(float(x) / width, float(w) / width)
             for x, w in re.findall(r' x="([\d.]+)"[^>]* width="([\d.]+)"', marks)]  # fmt: skip
    assert spans == [(pytest.approx(0.1), pytest.approx(0.1)), (0.5, 0.5)]
    assert "Turn 3, 3.0–6.0 s · Turn 4, 15.0–30.0 s" in " ".join(" ".join(Page(html).text).split())


def test_the_hardest_dialogues_are_those_with_the_smallest_share_right():
    # Three dialogues: half right of two turns; nothing of one; nothing of two, hence harder.
    dialogues = [BrowsedDialogue(name, 1, (turn(1), turn(2))[:size])
            for name, size in (("half", 2), ("short", 1), ("long", 2))]  # fmt: skip
    found = TurnValues(np.array([0.5, 0, 0, 0, 0]), np.array([0.5, 0.5, 1, 0.5, 0.5]))
    hard = dialogue_pages.hardest(found, source(dialogues))
    assert [(each.name, each.right, each.turns) for each in hard] == [
        ("long", 0.0, 2), ("short", 0.0, 1), ("half", 0.5, 2),
    ]  # fmt: skip
    assert (
        dialogue_pages.hardest(TurnValues(found.values[1:], found.weights[1:]), source(dialogues))
        == []
    )


def test_spans_are_counted_by_tenths_and_no_overlap_apart():
    values = np.array([0.0, 0.05, 0.1, 0.3, 0.31, 1.0, 0.7])
    found = TurnValues(values, np.array([1.0, 1, 1, 1, 1, 1, 0]))
    assert dialogue_pages.iou_histogram(found) == [1, 2, 0, 1, 1, 0, 0, 0, 0, 0, 1]


def filmed(path, size=(96, 64), frames=24):
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=8)
        (stream.width, stream.height), stream.pix_fmt = size, "yuv420p"
        for n in range(frames):
            picture = np.full((size[1], size[0], 3), 10 * n, dtype=np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode())


def film(tmp_path, path="cat.mp4"):
    """What `frame_strip` needs of a benchmark: a folder, and a video whose file is `path`."""
    return SimpleNamespace(folder=tmp_path, videos={CAT: SimpleNamespace(path=path)})


def test_a_strip_shows_six_frames_in_order_and_the_same_bytes_again(tmp_path):
    filmed(tmp_path / "cat.mp4")
    data = frame_strip(film(tmp_path), CAT)
    assert data == frame_strip(film(tmp_path), CAT)
    (tmp_path / "strip.jpg").write_bytes(data)
    with av.open(str(tmp_path / "strip.jpg")) as made:
        pixels = next(made.decode(video=0)).to_ndarray(format="gray")
    # 96 x 64 pixels at height 54 are 81 wide, made even; five gaps of 2.
    assert pixels.shape == (54, 6 * 80 + 5 * 2)
    shades = [pixels[20:30, int((n + 0.5) * pixels.shape[1] / 6)].mean() for n in range(6)]
    assert shades == sorted(shades)
    assert shades[-1] - shades[0] > 100


@pytest.mark.parametrize("path", ["../cat.mp4", "/etc/hostname", "absent.mp4", "text.mp4", None])
def test_there_is_no_strip_of_what_is_no_video_of_the_benchmark(tmp_path, path):
    inside = tmp_path / "inside"
    inside.mkdir()
    filmed(tmp_path / "cat.mp4")
    (inside / "text.mp4").write_text("no video")
    assert frame_strip(film(inside, path), CAT) is None
    assert frame_strip(film(inside), DOG) is None
