"""Random conversations: targets that stay, answers that are often right, short texts."""

import random

from harness.records import Moment, Prediction

from .conftest import VIDEOS, make_split

WORDS = {"en": ["video", "3", "the man cooks", "5s-10s", "a dog", "runs."],
         "zh": ["视频", "3", "男人", "在厨房", "做饭", "，"]}  # fmt: skip
TYPES = (0, 1, 2, 4, 7)


def conversation(seed, dialogues=40):
    """A split, its gold and one prediction a turn."""
    draw = random.Random(seed)
    skill = draw.random()
    rows, predictions = [], []
    for number in range(dialogues):
        code = draw.choice(TYPES)
        target, alone = draw.choice(VIDEOS), draw.choice(["en", "zh", None])
        for turn in range(1, draw.randint(2, 9)):
            if draw.random() < 0.3:
                target = draw.choice(VIDEOS)
            task = "chat" if code == 0 else draw.choice(["video"] * 4 + ["moment", "chat"])
            language = alone or draw.choice(["en", "zh"])
            more = {"answer": text(draw, language)}
            if task == "moment":
                start = draw.randrange(20_000)
                more["moment"] = (start, start + draw.randrange(1000, 9_000))
            if task == "video":
                more["candidates"] = draw.sample(VIDEOS, 9) + [target] * (draw.random() < 0.8)
                more["candidates"] = list(dict.fromkeys(more["candidates"]))
                more["foil"] = draw.choice([None, *set(VIDEOS[:9]) - {target}])
            gold = None if task == "chat" else target
            rows.append((f"d{number}", turn, code, language, task, gold, more))
            predictions.append(answer(draw, rows[-1], skill))
    return *make_split(rows), predictions


def text(draw, language):
    space = " " if language == "en" else ""
    return space.join(draw.choices(WORDS[language], k=draw.randint(0, 8)))


def answer(draw, row, skill):
    """A prediction that is right with a probability of about `skill`; now and then none."""
    dialogue, turn, _, language, task, gold, more = row
    if draw.random() < 0.03:
        return None
    response = draw.choice([None, "", text(draw, language), more["answer"]])
    if task == "chat":
        return Prediction(dialogue, turn, None, None, None, response or "")
    videos = draw.sample(VIDEOS, draw.choice([0, 1, 10, 100]))
    if draw.random() < skill and gold in videos:
        videos.remove(gold)
    if draw.random() < skill:
        videos = [name for name in videos if name != gold][:99]
        videos.insert(draw.choice([0, 0, 0, 1, len(videos)]), gold)
    moments = None
    if task == "moment":
        start, end = more["moment"]
        near = Moment(gold, max(0, start + draw.randrange(-2000, 900)), end)
        spans = [sorted(draw.sample(range(30_000), 2)) for _ in range(draw.randint(0, 7))]
        moments = [Moment(draw.choice([gold, VIDEOS[0]]), *span) for span in spans]
        if draw.random() < skill:
            moments.insert(draw.randint(0, min(1, len(moments))), near)
        moments = tuple(moments)
    choice = draw.choice([None, (), tuple(draw.sample(more.get("candidates", [VIDEOS[0]]), 1))])
    return Prediction(dialogue, turn, tuple(videos), moments,
                      choice if task == "video" else None, response)  # fmt: skip
