"""The published evaluation written out from its stated rules, slowly, over the raw samples.

One function gives one figure, and raises where the published scorer is stated to stop.
"""

from tests.replies.test_published_rules import stated_number, stated_reference, stated_span

THRESHOLDS = {"R@1,IoU>=0.3": 0.3, "R@1,IoU>=0.5": 0.5, "R@1,IoU>=0.7": 0.7}


def pairs(dialogue):
    entries = dialogue["conversations"]
    return list(zip(entries[0::2], entries[1::2], strict=True))


def is_video(answer):
    return answer["gt_se"] == [-1, -1]


def dialogues(samples, split="test"):
    return [s for s in samples if s["split"] == split and s["type"] != [0]]


def items(samples, split="test"):
    found = []
    for dialogue in dialogues(samples, split):
        if dialogue["type"] == [7]:
            continue
        first = dialogue["conversations"][1]
        if is_video(first):
            passed = first["video_id"] in first["candidate_videos"][:10]
        else:
            passed = first["video_id"] == first["candidate_videos"][0]
        if passed:
            prefixes = [pairs(dialogue)[:n] for n in range(1, 11)]
            lengths = range(1, min(len(pairs(dialogue)), 10) + 1)
            found += [prefixes[n - 1] for n in lengths if len(prefixes[n - 1]) <= 7]
    return found


def questions(samples, split="test"):
    return [item[-1][0]["value"] for item in items(samples, split)]


def iou(one, other):
    shared = max(min(one[1], other[1]) - max(one[0], other[0]), 0)
    return shared / (max(one[1], other[1]) - min(one[0], other[0]))


def is_right(figure, output, answer):
    if figure == "R@1":
        return stated_number(output) == stated_number(answer["value"])
    times = stated_reference(answer["value"])
    return iou(stated_span(output), (times[0], times[1])) >= THRESHOLDS[figure]


def overall(figure, samples, result, split="test"):
    """(right, all) of an overall figure."""
    counter = {}
    for position, item in enumerate(items(samples, split)):
        answer = item[-1][1]
        output = result[position]["output"]
        if is_video(answer) != (figure == "R@1"):
            continue
        right = is_right(figure, output, answer)
        if figure not in counter:
            counter[figure] = 0
        elif right:
            counter[figure] += 1
    answers = [answer for d in dialogues(samples, split) for _, answer in pairs(d)]
    total = sum(is_video(answer) == (figure == "R@1") for answer in answers)
    counter[figure] / total
    return counter[figure], total


def by_turn(figure, number, samples, result, split="test"):
    """(right, all) of a figure at one turn number."""
    right = total = 0
    for dialogue in dialogues(samples, split):
        for turn, (human, answer) in enumerate(pairs(dialogue), start=1):
            if turn != number or is_video(answer) != (figure == "R@1"):
                continue
            total += 1
            found = [row["output"] for row in result if row["user_q"] == human["value"]]
            if found:
                right += is_right(figure, found[0], answer)
    right / total
    return right, total
