"""Small benchmarks and submissions in a few letters, so that figures can be counted by hand."""

from harness.records import Card, Moment, Prediction
from harness.submission import write
from tests.baselines.conftest import ask, dialogue, imported, talk

WRONG = "S/99.mp4"  # never gold
VIDEOS = {f"S/{n}.mp4": (30.0, {"title": f"video {n}"}) for n in (*range(60), 99)}
SPAN = (5.0, 15.0)


def video(number):
    return f"S/{int(number)}.mp4"


def world(folder, *dialogues, name="toy", words="find it", videos=VIDEOS, **settings):
    """A benchmark of dialogues as (type, "v3 m4 c"): video, moment (5 s to 15 s) and chat turns.

    The numbers are those of the gold videos.
    """
    samples = [
        dialogue(*(_turn(each, words) for each in turns.split()), code=code)
        for code, turns in dialogues
    ]
    return imported(folder, samples, name=name, videos=videos, corpus="all", **settings)


def _turn(letters, words):
    if letters == "c":
        return talk("hello", "good day")
    gold = video(letters[1:])
    given = [gold, WRONG, *(video(n) for n in range(8) if video(n) != gold)]
    return ask(words, gold, given, SPAN if letters[0] == "m" else None)


def submit(folder, benchmark, *marks, history="own", split="test", wrong=WRONG, **card):
    """A submission that is right (1), wrong (0) or silent (-) in each turn of each dialogue.

    `marks`: one string a dialogue, spaces apart the turns' marks; chat turns take any.
    """
    turns, gold = benchmark.split(split).turns, benchmark.gold(split)
    given = "".join(marks).replace(" ", "")
    assert len(given) == len(turns)
    predictions = [
        _prediction(turn, answer, mark, wrong)
        for turn, answer, mark in zip(turns, gold, given, strict=True)
    ]
    fields = {"team": "T", "system": folder.name, "candidates": "unused", **card}
    write(folder, Card(schema=1, history=history, **fields), predictions)
    return folder


def _prediction(turn, gold, mark, wrong):
    name = turn.dialogue_id, turn.turn
    if turn.task == "chat":
        return Prediction(*name, response="hello")
    if turn.task == "video":
        listed = {"1": (gold.video_id,), "0": (wrong,), "-": ()}[mark]
        return Prediction(*name, videos=listed)
    spans = {"1": (gold.moment.start, gold.moment.end), "0": (20_000, 25_000)}
    moments = (Moment(gold.video_id, *spans[mark]),) if mark != "-" else ()
    return Prediction(*name, moments=moments)
