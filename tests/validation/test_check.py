"""What check gives besides problems: counts, predictions, SHA-256, and the same bytes each time."""

import shutil

import pytest

from harness.benchmark import Benchmark
from harness.errors import EnvironmentFailure
from harness.files import zstd
from harness.records import Card, Moment
from harness.submission import SubmissionDigest, write
from harness.validation import RULES, check
from harness.validation.bulk import check_each
from harness.validation.page import page
from harness.validation.problem_log import EXAMPLES
from harness.validation.report import seconds
from harness.validation.suggestions import LOOKUPS, Suggestions
from tests.answers import same_videos
from tests.baselines.conftest import CAT, SAMPLES, imported
from tests.conftest import REPOSITORY
from tests.validation.samples import CARD, LINES, UNDATED, encoded, write_submission


def with_lines(folder, changed):
    """A submission whose lines are changed by position."""
    lines = [changed.get(n, line) for n, line in enumerate(LINES)]
    return write_submission(folder, lines=[encoded(line) for line in lines])


def test_predictions_run_along_the_turns_whatever_the_order_of_lines(tmp_path, small):
    lines = [encoded(line) for line in reversed(LINES)]
    checked = check(write_submission(tmp_path / "sub", lines=lines), small)
    turns = small.split("test").turns
    assert [given.key for given in checked.predictions] == [turn.key for turn in turns]
    assert checked.predictions[1].moments == (Moment("v/a.mp4", 1000, 2500),)
    assert checked.predictions[0].choice == ("v/b.mp4", "v/a.mp4")
    assert checked.predictions[0].moments is None


def test_wrong_and_missing_lines_leave_none_and_a_clipped_end_is_kept(tmp_path, small):
    late = {**LINES[1], "moments": [{"video_id": "v/a.mp4", "start": 1.0004, "end": 30.9}]}
    bad = {**LINES[3], "videos": ["nowhere"]}
    checked = check(with_lines(tmp_path / "sub", {1: late, 3: bad}), small)
    assert checked.predictions[1].moments == (Moment("v/a.mp4", 1000, 30_000),)
    assert checked.predictions[3] is None
    assert checked.report.answered == 5


def test_first_of_two_answers_counts(tmp_path, small):
    again = {**LINES[4], "choice": []}
    lines = [*map(encoded, LINES), encoded(again)]
    checked = check(write_submission(tmp_path / "sub", lines=lines), small)
    assert checked.report.totals == {"T101": 1}
    assert checked.predictions[4].choice == ("v/c.mp4",)
    assert checked.report.abstentions == 0


@pytest.mark.parametrize(
    ("position", "line", "abstains"),
    [
        (0, {"videos": []}, True),
        (0, {"videos": [], "choice": []}, True),
        (0, {"videos": [], "choice": ["v/a.mp4"]}, False),
        (0, {"choice": []}, True),
        (0, {"videos": [], "response": "none of them"}, True),
        (1, {"moments": []}, True),
        (1, {"moments": [], "videos": ["v/a.mp4"]}, True),
        (2, {"response": ""}, True),
        (2, {"response": " "}, False),
    ],
)
def test_empty_answers_are_valid_abstentions(position, line, abstains, tmp_path, small):
    name = {key: LINES[position][key] for key in ("dialogue_id", "turn")}
    report = check(with_lines(tmp_path / "sub", {position: name | line}), small).report
    assert (report.valid, report.answered, report.abstentions) == (True, 5, int(abstains))


def test_moments_in_videos_of_unknown_duration_are_noted_once(tmp_path, small):
    spans = [{"video_id": UNDATED, "start": 1, "end": end} for end in (2, 3, 40_000)]
    checked = check(with_lines(tmp_path / "sub", {1: {**LINES[1], "moments": spans}}), small)
    assert (checked.report.totals, checked.report.valid) == ({"M207": 1}, True)
    assert checked.predictions[1].moments[2].end == 40_000_000


def test_sha256_is_over_card_and_uncompressed_predictions(tmp_path, small):
    plain = write_submission(tmp_path / "plain")
    packed = shutil.copytree(plain, tmp_path / "packed")
    data = (packed / "predictions.jsonl").read_bytes()
    (packed / "predictions.jsonl").unlink()
    (packed / "predictions.jsonl.zst").write_bytes(zstd.compress(data))
    digest = SubmissionDigest()
    digest.file("card.toml").update(CARD.encode())
    digest.file("predictions.jsonl").update(data)
    assert check(plain, small).sha256 == check(packed, small).sha256 == digest.hexdigest()


def test_keeping_nothing_reports_the_same(tmp_path, small):
    sub = with_lines(tmp_path / "sub", {0: {**LINES[0], "videos": ["x", "x"]}, 2: {}})
    kept, bare = check(sub, small), check(sub, small, keep=False)
    assert kept.report == bare.report
    assert (bare.predictions, bare.sha256) == ((), None)
    assert kept.sha256 is not None


def test_first_twenty_of_a_code_are_shown_and_all_are_counted(tmp_path, small):
    videos = [f"x{n}" for n in range(30)]
    report = check(with_lines(tmp_path / "sub", {3: {**LINES[3], "videos": videos}}), small).report
    assert report.totals == {"V100": 30}
    assert len(report.problems) == EXAMPLES
    assert report.errors == 30


def test_problems_of_all_kinds_are_found_in_one_pass(tmp_path, small):
    sub = with_lines(tmp_path / "sub", {0: {**LINES[0], "videos": ["x"]}, 2: {}, 4: {"turn": 1}})
    (sub / "card.toml").write_text(CARD.replace("own", "all") + "x = 1\n")
    totals = check(sub, small).report.totals
    assert totals == {"C105": 1, "C107": 1, "L111": 3, "T100": 2, "V100": 1}


def test_reported_card_needs_no_predictions(tmp_path, small):
    card = CARD.replace('"predictions"', '"reported"')
    card += 'source = "Table 2"\n[figures]\n"R@1" = 58.84\n'
    sub = write_submission(tmp_path / "sub", card)
    (sub / "predictions.jsonl").unlink()
    checked = check(sub, small)
    assert (checked.report.valid, checked.report.answered) == (True, 0)
    assert checked.card.figures == {"R@1": 58.84}
    digest = SubmissionDigest()
    digest.file("card.toml").update(card.encode())
    assert checked.sha256 == digest.hexdigest()


def test_toml_date_counts_as_its_text(tmp_path, small):
    checked = check(write_submission(tmp_path / "sub", CARD + "date = 2025-12-01\n"), small)
    assert checked.card.date == "2025-12-01"


@pytest.mark.parametrize("file", ["turns.jsonl", "corpus.txt", "candidates.jsonl"])
def test_benchmark_without_a_file_is_a_failed_environment(file, tmp_path, small):
    folder = shutil.copytree(small.folder, tmp_path / "b")
    (folder / "test" / file).unlink()
    with pytest.raises(EnvironmentFailure, match=file):
        check(write_submission(tmp_path / "sub"), Benchmark(folder))


def test_page_of_rules_is_current():
    assert (REPOSITORY / "docs" / "rules.md").read_text("utf-8") == page()
    assert all(f"| {code} |" in page() for code in RULES)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("v/x_000124", "v/x_000123.mp4"),
        ("V/X_000123.MP4", "v/x_000123.mp4"),
        ("x_000132.mp4", "v/x_000123.mp4"),
        ("v/q_93.mp4", None),
        ("v/x_00123.mp4", "v/x_000123.mp4"),
        ("v/x_0001234.mp4", "v/x_000123.mp4"),
        ("v/y_77777.mpeg", "v/y_777777.mp4"),
        ("v/x_000123.mp4.mp4", "v/x_000123.mp4"),
        ("v/x_999123.mp4", None),
    ],
)
def test_did_you_mean(word, meant):
    found = Suggestions(["v/x_000123.mp4", "v/y_777777.mp4"])(word)
    assert found == ("" if meant is None else f"; did you mean {meant}?")


def test_suggestions_stop_after_a_number_of_lookups():
    near = Suggestions(["abcdefgh"])
    assert [near(f"abcdefg{chr(n)}") != "" for n in range(300, 302 + LOOKUPS)].count(
        True
    ) == LOOKUPS


@pytest.mark.parametrize(
    ("time", "text"), [(0, "0.0 s"), (93_200, "93.2 s"), (-5, "-0.005 s"), (10**9, "1000000.0 s")]
)
def test_times_in_messages(time, text):
    assert seconds(time) == text


@pytest.mark.parametrize(
    ("line", "valid"),
    [
        (f'description = "{"x" * 4000}"', True),
        (f'description = "{"x" * 4001}"', False),
        (f'code = "{"x" * 200}"', True),
        (f'code = "{"x" * 201}"', False),
        (f'variant = "{"x" * 60}"', True),
        (f'variant = "{"x" * 61}"', False),
        (f'control = "{"x" * 60}"', True),
        (f'control = "{"x" * 61}"', False),
        ("settings = {context = 'last', frames = 12, share = 0.5, shuffle = true}", True),
        ("settings = {frames = {first = 1}}", False),
        ("settings = {frames = [1]}", False),
        ("settings = {frames = nan}", False),
        (f"settings = {{{', '.join(f'a{n} = {n}' for n in range(100))}}}", True),
        (f"settings = {{{', '.join(f'a{n} = {n}' for n in range(101))}}}", False),
        (f"settings = {{context = '{'x' * 201}'}}", False),
        ("parameters = 9007199254740992", True),
        ("parameters = 9007199254740993", False),
        ("parameters = nan", False),
        ("parameters = inf", False),
        (f"parameters = 0x{'f' * 5000}", False),
        ("cost = {a = {b = 1}}", False),
        (f"training_data = [{'[' * 5000}{']' * 5000}]", False),
    ],
)
def test_limits_of_a_card(line, valid, tmp_path, small):
    assert (
        check(write_submission(tmp_path / "sub", CARD + line + "\n"), small).report.valid == valid
    )


def test_a_program_that_makes_the_benchmark_anew_is_told_of_the_new_one(tmp_path):
    """Two checks of one process, of the same path with another benchmark."""
    folder, first = tmp_path / "submission", imported(tmp_path, SAMPLES, "a")
    second = imported(tmp_path, SAMPLES[:1], "b")
    place = tmp_path / "benchmark"
    counts = []
    for benchmark in (first, second):
        shutil.copytree(benchmark.folder, place)
        write(
            folder, Card(1, "t", "s", "none", "unused"), same_videos(benchmark.split().turns, [CAT])
        )
        [checked] = check_each([folder], place, "test", processes=1)
        counts.append(checked.report.answered)
        assert not checked.report.errors
        shutil.rmtree(place)
        shutil.rmtree(folder)
    assert counts == [len(first.split().turns), len(second.split().turns)]
