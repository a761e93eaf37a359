"""Official samples and result files, drawn for tests."""

from hypothesis import strategies as st

NAMES = [f"S/{n}.mp4" for n in range(12)]
UTTERANCES = ["find it", "where?", "红色的", "again", "the man in a hat", ""]
REPLIES = [
    *("video 1", "video 2.", "It is video 3", "the 2nd video", "视频2", "在video 2中", "", "none"),
    *("5s-10s", "from 5 to 10 seconds", "2-3 people at 5s-9s", "7 - 7", "5 - 8 s", "从5秒到8秒"),
    *("0s-3s", "10 - 5", "5.0 - 6.5", "0.7 - 1.0"),
]
SPANS = [(5, 10), (5, 8), (0, 3), (2.5, 7.25), (0.4, 1.4)]


def video_turn(utterance, position, gold, answer=None):
    """Entries of a video turn; `position` of the gold among the candidates, None: not there."""
    others = [name for name in NAMES if name != gold][:10]
    candidates = others[:10]
    if position is not None:
        candidates = [*others[: position - 1], gold, *others[position - 1 : 9]]
    default = "None matches." if position is None else f"It is video {position}."
    return _pair(utterance, answer or default, gold, candidates, [-1, -1])


def moment_turn(utterance, position, gold, span, answer=None):
    """Entries of a moment turn."""
    human, reply = video_turn(utterance, position, gold)
    default = f"It is at {span[0]}s-{span[1]}s."
    return [human, reply | {"value": default if answer is None else answer, "gt_se": list(span)}]


def _pair(utterance, answer, gold, candidates, span):
    return [
        {"from": "human", "value": utterance, "text_id": 1},
        {
            "from": "gpt",
            "value": answer,
            "video_id": gold,
            "candidate_videos": candidates,
            "gt_se": span,
        },
    ]


def sample(turns, kind=1, split="test"):
    """A dialogue of the file."""
    return {"split": split, "type": [kind], "conversations": [e for turn in turns for e in turn]}


def turns():
    """Strategy: one turn's entries."""
    gold, utterance = st.sampled_from(NAMES), st.sampled_from(UTTERANCES)
    position = st.one_of(st.integers(1, 10), st.just(1), st.none())
    answer = st.one_of(st.none(), st.sampled_from(["", "视频2", "video 2", "6s-6s", "5s-8s"]))
    video = st.builds(video_turn, utterance, position, gold, st.none() | st.just("视频3中"))
    moment = st.builds(moment_turn, utterance, position, gold, st.sampled_from(SPANS), answer)
    plain = st.builds(moment_turn, utterance, st.just(1), gold, st.sampled_from(SPANS))
    return st.one_of(video, plain, plain, moment)


def samples():
    """Strategy: a file of one to six dialogues, all of which the import keeps."""
    dialogue = st.builds(
        sample,
        st.lists(turns(), min_size=1, max_size=9),
        st.sampled_from([1, 2, 3, 7]),
        st.sampled_from(["test", "test", "test", "train"]),
    )
    first = st.builds(sample, st.lists(turns(), min_size=1, max_size=9))
    return st.builds(lambda one, more: [one, *more], first, st.lists(dialogue, max_size=5))


def results(questions):
    """Strategy: entries for `questions`, some missing, doubled, reordered or prefixed."""
    prefix = st.sampled_from(
        ["", "", "Current video : <VID> 1 </VID> <VIDEO> <VIDEOTOKEN> </VIDEO>."]
    )
    replies = st.lists(
        st.tuples(prefix, st.sampled_from(REPLIES)),
        min_size=len(questions),
        max_size=len(questions),
    )
    entries = replies.map(
        lambda drawn: [
            {"user_q": before + question, "output": output}
            for question, (before, output) in zip(questions, drawn, strict=True)
        ]
    )
    return entries.flatmap(
        lambda rows: st.one_of(
            st.just(rows),
            st.permutations(rows),
            st.integers(0, len(rows)).map(lambda n: rows[:n] + rows[n + 1 :]),
            st.integers(0, len(rows)).map(lambda n: rows[:n] + rows[max(n - 1, 0) :]),
        )
    )
