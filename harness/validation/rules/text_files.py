"""The rules about files, their bytes and their lines; harness.validation.reading applies them."""

from __future__ import annotations

from harness.untrusted.unpacking import MEMBER, MEMBERS, RATIO
from harness.validation.rules.rule import declare

LINE_LIMIT = 1 << 20  # bytes

NOT_PLAIN = declare(
    "file",
    "S103",
    "error",
    "card and predictions are plain files",
    "a folder named predictions.jsonl",
)
LINK_OUT = declare(
    "file",
    "S104",
    "error",
    "links stay inside the submission",
    "predictions.jsonl -> ../other.jsonl",
)
UNREADABLE = declare(
    "file", "S105", "error", "card and predictions can be read", "a file without read permission"
)
CHANGED = declare(
    "file",
    "S106",
    "error",
    "files do not change while they are read",
    "a file that a running job still appends to",
)
NOT_COMPRESSED = declare(
    "file",
    "S107",
    "error",
    "a file is compressed as its suffix says",
    "plain text with the suffix .gz",
)
TRUNCATED = declare(
    "file",
    "S108",
    "error",
    "a compressed file is whole",
    "predictions.jsonl.zst cut by a broken upload",
)
EXPANDS = declare(
    "file",
    "S109",
    "error",
    f"a compressed file expands at most {RATIO} times",
    "gigabytes of zeros as .zst",
)
TOO_LARGE = declare(
    "file",
    "S110",
    "error",
    "predictions hold at most 64 MiB and 32 KiB a turn",
    "a file of 10 GB",
)
NOT_TEXT = declare(
    "file",
    "S111",
    "error",
    "predictions are UTF-8 text",
    "a file saved as UTF-16, or a .zip by this name",
)
BOM = declare(
    "file", "S112", "warning", "no byte order mark is needed", "EF BB BF before the first line"
)
CRLF = declare(
    "file", "S113", "warning", "lines end with a newline alone", "lines that end with CR LF"
)
BLANK = declare("file", "S114", "warning", "every line holds a prediction", "an empty line")
MANY_MEMBERS = declare(
    "file",
    "S116",
    "error",
    f"a compressed file has at most {MEMBERS:,} parts, and one more for each {MEMBER} bytes",
    "a million empty Zstandard frames",
)
TOO_MANY_LINES = declare(
    "file", "S115", "error", "there is one line a turn", "more than twice as many lines as turns"
)
TOO_LONG = declare(
    "file", "L100", "error", "a line holds at most 1 MiB", "a response of two megabytes"
)
MISSING = declare(
    "file", "T100", "error", "every turn is answered", "no line for turn 2 of dialogue d1"
)
TWICE = declare(
    "file", "T101", "error", "a turn is answered once", "two lines for turn 2 of dialogue d1"
)
OTHER_SPLIT = declare(
    "file",
    "T104",
    "error",
    "answers are to the split that is asked for",
    "dialogues of val where test is asked for",
)
NOT_LINES = declare(
    "file",
    "L113",
    "error",
    "the file is JSON Lines",
    "one JSON array, one object of all answers, or a CSV table",
)
EARLY_TIMES = declare(
    "file",
    "M208",
    "warning",
    "not all moments end within the first second",
    "times as fractions of the video",
)
NO_DURATION = declare(
    "file", "M207", "warning", "videos have a known duration", "a benchmark imported without META"
)
