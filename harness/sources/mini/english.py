"""English for IVCR-Mini."""

from __future__ import annotations

from collections.abc import Sequence

from harness.sources.mini.phrasing import Phrasing
from harness.sources.mini.queries import Pattern
from harness.sources.mini.world import BACKGROUNDS, COLOURS, MOTIONS, PLACES, SHAPES

# "left" and "right" are places alone: no template says "right after" or "what is left".
ADVERBS = {"slow": "slowly", "fast": "quickly"}
TAGS = {
    "spins": "spinning",
    "bounces": "bouncing",
    "slides": "sliding",
    "circles": "circling",
    "pulses": "pulsing",
    "blinks": "blinking",
    "shakes": "shaking",
    "flips": "flipping",
}
WHERE = {
    "top": "at the top",
    "bottom": "at the bottom",
    "left": "on the left",
    "right": "on the right",
}
NAMES = {word: word for word in (*SHAPES, *COLOURS, *MOTIONS, *PLACES, *BACKGROUNDS)} | ADVERBS


def clause(event: Pattern) -> str:
    """An event as a clause: "a red ball spins slowly at the top"."""
    return f"{_article(_thing(event))} {_doing(event) or 'appears'}"


def noun(event: Pattern) -> str:
    """An event as a noun: "the red ball that spins slowly at the top"."""
    doing = _doing(event)
    return f"the {_thing(event)} that {doing}" if doing else f"the {_thing(event)}"


def finish(text: str) -> str:
    """The sentence with its first letter capital."""
    return text[:1].upper() + text[1:]


def join(parts: Sequence[str]) -> str:
    """Clauses in a row: "a, b and c"."""
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def _thing(event: Pattern) -> str:
    return " ".join(word for word in (event.colour, event.shape or "shape") if word)


def _article(thing: str) -> str:
    return f"an {thing}" if thing[0] in "aeiou" else f"a {thing}"


def _doing(event: Pattern) -> str:
    verb = event.motion or ("moves" if event.pace else "appears" if event.place else "")
    words = (verb, ADVERBS.get(event.pace or ""), WHERE.get(event.place or ""))
    return " ".join(word for word in words if word)


ENGLISH = Phrasing(
    names=NAMES,
    tags=NAMES | TAGS,
    clause=clause,
    noun=noun,
    finish=finish,
    join=join,
    background="the background is {name}",
    before=(
        "{a} before {b}",
        "first {a}, then {b}",
        "{b} after {a}",
        "{a} and later {b}",
        "{a} some time before {b}",
        "{a} first and {b} afterwards",
    ),
    longer=(
        "{a} for longer than {b}",
        "{a} for a long time and {b} only briefly",
        "{b} for less time than {a}",
        "{b} only briefly, but {a} for a long time",
        "{a} for much longer than {b}",
        "{b} for a shorter time than {a}",
    ),
    moments={
        "at": ("the part where {s}", "the moment when {s}", "the bit in which {s}"),
        "after": (
            "the event just after {np} leaves",
            "the next thing to appear once {np} is gone",
        ),
        "until": (
            "the event just before {np} appears",
            "the last thing on screen before {np} comes in",
        ),
        "first": ("the very first thing that happens", "the opening event"),
        "last": ("the very last thing that happens", "the closing event"),
        "longest": ("the event that lasts longest", "the shape that stays on screen longest"),
        "shortest": ("the briefest event", "the shape that stays on screen for the least time"),
    },
    qualities={
        "slow": ("calm", "peaceful", "relaxing"),
        "fast": ("lively", "hectic", "energetic"),
        2: ("simple", "minimal", "uncluttered"),
        5: ("busy", "eventful", "crowded"),
    },
    templates={
        "find": (
            "Find the video in which {s}.",
            "I am looking for a video where {s}.",
            "Which video shows this: {s}?",
            "Could you find me the clip where {s}?",
            "Please search for a video: {s}.",
            "I remember a video in which {s}. Can you get it?",
            "Show me the video where {s}.",
        ),
        "whole": (
            "Now show me the whole video: {s}.",
            "I want the full video, the one where {s}.",
            "Give me the complete video in which {s}.",
            "Not just a clip, please: the entire video where {s}.",
            "Where is the full-length version, in which {s}?",
            "Please open the whole recording where {s}.",
        ),
        "similar": (
            "Something similar, but {s}.",
            "Do you have one like that where {s}?",
            "A video much like it, only here {s}.",
            "Along the same lines, except that {s}.",
            "Now a related one in which {s}.",
            "I would also like something comparable: {s}.",
        ),
        "same": (
            "Another one with the same background, but {s}.",
            "Keep the background as it was; this time {s}.",
            "The same kind of background again, only {s}.",
            "One more with that background, in which {s}.",
            "Do you have another with an identical background where {s}?",
            "Same backdrop, different video: {s}.",
        ),
        "refine": (
            "More precisely, {s}.",
            "One more detail: {s}.",
            "Let me add that {s}.",
            "To narrow it down: {s}.",
            "I also remember that {s}.",
            "In the one I mean, {s}.",
        ),
        "abstract": (
            "I am in the mood for something {quality}: {s}.",
            "Something {quality}, please, in which {s}.",
            "Do you have a {quality} video where {s}?",
            "Show me something {quality} where {s}.",
            "I need a rather {quality} clip: {s}.",
            "Find me something {quality}; {s}.",
        ),
        "moment": (
            "Show me {m}.",
            "Cut out {m}, please.",
            "Now find {m} in this video.",
            "I only need {m}.",
            "Jump to {m}.",
            "In that video, locate {m}.",
            "When exactly is {m}?",
        ),
        "moment_in": (
            "In the video where {s}, find {m}.",
            "There is a video in which {s}. Cut out {m}.",
            "I want a clip from the video where {s}: {m}.",
            "Take the video in which {s} and show me {m}.",
            "Locate {m} in the video where {s}.",
            "When is {m}, in the video where {s}?",
        ),
    },
    answers={
        "video": (
            "The video you are looking for is video {n}.",
            "It is video {n}.",
            "I think video {n} matches best.",
            "That would be video {n}.",
            "Here it is: video {n}.",
            "Your description fits video {n}.",
            "Video {n} is the one you mean.",
        ),
        "none": (
            "None of the candidates matches your description.",
            "The video you describe is not among the candidates.",
            "I do not see it in this list.",
            "No candidate fits what you describe.",
        ),
        "moment": (
            "It happens in video {n} at {span}.",
            "The moment is in video {n} at {span}.",
            "You will find it in video {n}, {span}.",
            "In video {n} it runs {span}.",
            "That part of video {n} is {span}.",
            "Watch video {n} at {span}.",
        ),
        "moment_none": (
            "It happens at {span}.",
            "The moment is {span}.",
            "In that video it runs {span}.",
            "You will find it at {span}.",
        ),
    },
    small_talk=(
        ("Hello, what can you do?", "I can find videos for you and point to moments in them."),
        (
            "What kind of videos do you have?",
            "Short clips of coloured shapes that move about on plain or patterned backgrounds.",
        ),
        ("Thank you, that helps.", "You are welcome. Tell me if you need another one."),
        ("How long are the videos?", "They last between eight and forty seconds."),
        ("Can I describe a video in my own words?", "Yes, say what you remember of it."),
        ("Do the videos have sound?", "No, they are silent."),
        ("Is it fine to ask in Chinese?", "Yes, English and Chinese both work."),
    ),
    questions={
        "first": (
            ("In the clip where {s}, what comes first?", "The first thing is that {e}."),
            ("How does the video start where {s}?", "It starts when {e}."),
        ),
        "last": (
            ("How does the clip end in which {s}?", "At the end, {e}."),
            ("What is the last thing to happen where {s}?", "Finally, {e}."),
        ),
        "count": (
            ("How many shapes does the video show where {s}?", "It shows {c} shapes."),
            ("In the clip in which {s}, how many shapes are there?", "There are {c} of them."),
        ),
        "background": (
            ("What is the background like where {s}?", "It is {b}."),
            ("Tell me about the background of the clip where {s}.", "The background is {b}."),
        ),
    },
    numbers={2: "two", 3: "three", 4: "four", 5: "five"},
    title=("{background} background", "moving shapes"),
    transcript=("seen in this clip: ", ", "),
)
