"""What an import counts of reference answers, by language."""

from harness.replies import ReferenceReadings, reading_line

ZH_UNREAD = "查询内容在视频4里。"


def test_readings_are_counted_by_language_and_task():
    readings = ReferenceReadings()
    readings.add("en", "video", "The query matches video 3.", 3)
    readings.add("en", "video", "None of the candidates matches.", None)
    readings.add("en", "video", "The query matches video 5.", 4)
    readings.add("zh", "video", ZH_UNREAD, 4)
    readings.add("en", "moment", "It happens at 5s-10s.", None, (5.0, 10.0))
    readings.add("zh", "moment", "从5秒到10秒", None, (5.0, 10.0))
    readings.add("en", "chat", "Hello.")
    rows = {(row["language"], row["task"]): row for row in readings.table()}
    assert list(rows) == [("en", "moment"), ("en", "video"), ("zh", "moment"), ("zh", "video")]
    assert rows["en", "video"] == {
        "language": "en",
        "task": "video",
        "answers": 3,
        "official_unread": 1,
        "sound_unread": 1,
        "official_differs": 1,
        "sound_differs": 1,
        "compared": 2,
    }
    assert rows["zh", "video"]["official_unread"] == 1
    assert rows["zh", "video"]["sound_unread"] == 0
    assert rows["zh", "moment"]["official_unread"] == 1
    assert rows["zh", "moment"]["sound_unread"] == 0
    assert rows["en", "moment"]["official_differs"] == 0


def test_endless_times_are_unread():
    readings = ReferenceReadings()
    readings.add("en", "moment", "5s-" + "9" * 400 + "s", None, (5.0, 10.0))
    (row,) = readings.table()
    assert (row["official_unread"], row["sound_unread"]) == (1, 1)


def test_a_row_as_a_sentence():
    readings = ReferenceReadings()
    readings.add("zh", "video", ZH_UNREAD)
    assert readings.lines() == [
        "zh, video turns: 1 reference answers; no candidate number in 1 by the official rules,"
        " in 0 by ours"
    ]
    assert "compared" not in reading_line(readings.table()[0])
