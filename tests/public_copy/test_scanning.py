"""The scan finds gold wherever it was planted, and nothing in copies that hold none."""

import json
import shutil

import pytest

from harness.benchmark import Benchmark, fingerprint
from harness.files import readable
from harness.public_copy import against, find_gold, publish
from tests.public_copy.conftest import make_full, samples, videos
from tests.public_copy.planted import WAYS


def test_a_copy_that_holds_no_gold_is_clean(published, full):
    assert find_gold(published, full) == []


# Whatever their form, the dialogues in these are named.
NAMED = {
    "gzipped", "zstandard", "bzipped", "xz", "zipped", "gzipped_in_a_tar_in_a_zip", "npz_of_texts",
    "in_base64", "in_base64_for_addresses_without_padding", "gzipped_in_base64", "in_base32",
    "in_base85", "in_hexadecimal", "in_utf_16", "chinese_in_utf_16", "percent_encoded", "backwards",
    "letters_moved", "capitals_and_invisible_marks", "gold_renamed",
}  # fmt: skip


@pytest.mark.parametrize("name", WAYS)
def test_what_is_planted_is_found_in_its_file(name, copy, full):
    try:
        file = WAYS[name](copy, full)
    except OSError as error:  # a disk without extended attributes
        pytest.skip(f"cannot be planted here: {error}")
    found = [finding for finding in against(find_gold(copy, full)) if finding.file == file]
    assert found
    if name in NAMED:
        assert any("the test dialogue d" in finding.text for finding in found)


@pytest.mark.parametrize("name", ["npz_of_spans", "spans_as_a_table", "spans_in_milliseconds"])
def test_spans_alone_are_counted(name, copy, full):
    file = WAYS[name](copy, full)
    texts = [finding.text for finding in find_gold(copy, full) if finding.file == file]
    count = sum(gold.moment is not None for gold in full.gold())
    assert any(f"holds {count} spans of gold moments" in text for text in texts)


def test_a_finding_names_file_line_and_what(copy, full):
    WAYS["text_of_a_video"](copy, full)
    texts = [finding.text for finding in find_gold(copy, full)]
    name = full.gold()[0].dialogue_id
    assert f"videos.jsonl:4: holds the test dialogue {name}" in texts
    assert "videos.jsonl:4: differs from the benchmark's own file, here first" in texts


# The same in the benchmark itself, where a comparison with it shows nothing.


def rewritten(benchmark, name, edit):
    """The benchmark with changed lines of a public file, and a fingerprint that says so."""
    path = benchmark.folder / name
    rows = [json.loads(line) for line in path.read_bytes().splitlines()]
    edit(rows, [json.loads(line) for line in
                (benchmark.folder / "test" / "gold.jsonl").read_bytes().splitlines()])  # fmt: skip
    lines = (json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
             for row in rows)  # fmt: skip
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    header = json.loads((benchmark.folder / "benchmark.json").read_bytes())
    header["fingerprint"] = fingerprint(benchmark.folder)
    (benchmark.folder / "benchmark.json").write_bytes(readable(header))
    return Benchmark(benchmark.folder)


def say(text):
    def edit(rows, gold):
        rows[0]["utterance"] = text(gold[0])

    return edit


def describe(text):
    def edit(rows, gold):
        at = next(at for at, row in enumerate(rows) if row["video_id"] == gold[2]["video_id"])
        rows[at]["text"]["title"] = text(gold[2])

    return edit


def gold_first(rows, gold):
    right = {(row["dialogue_id"], row["turn"]): row["video_id"] for row in gold}
    for row in rows:
        row["candidates"].sort(key=lambda name: name != right[row["dialogue_id"], row["turn"]])


def gold_by_line(rows, gold):
    right = {(row["dialogue_id"], row["turn"]): row["video_id"] for row in gold}
    for at, row in enumerate(rows):
        video = right[row["dialogue_id"], row["turn"]]
        row["candidates"].remove(video)
        row["candidates"].insert((at + 3) % 10, video)


def in_order_of_gold(rows, gold):
    first = [row["video_id"] for row in gold if row["video_id"]]
    rows.sort(key=lambda row: [*first, row["video_id"]].index(row["video_id"]))


@pytest.mark.parametrize(("name", "edit"), [
    ("test/turns.jsonl", say(lambda gold: f"Find {gold['video_id']}")),
    ("test/turns.jsonl", say(lambda gold: f"Find {gold['video_id'][6:14]}, please")),
    ("test/turns.jsonl", say(lambda gold: f"Find it. {gold['answer']}")),
    ("videos.jsonl", describe(lambda gold: f"of {gold['dialogue_id']}")),
    ("videos.jsonl", describe(lambda gold: "from {} to {}".format(*gold["moment"]))),
    ("videos.jsonl", describe(lambda gold: gold["answer"])),
    ("videos.jsonl", in_order_of_gold),
    ("test/candidates.jsonl", gold_first),
    ("test/candidates.jsonl", gold_by_line),
])  # fmt: skip
def test_a_benchmark_whose_public_files_give_gold_away_is_not_published(
    name, edit, own_full, tmp_path
):
    leaking = rewritten(own_full, name, edit)
    out = tmp_path / "out"
    with pytest.raises(Exception, match=name) as error:
        publish(leaking, out)
    assert error.value.exit_code == 3
    assert "nothing was written" in str(error.value)
    assert not out.exists()
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


@pytest.mark.parametrize("seed", range(4))
def test_other_benchmarks_give_no_false_alarm(seed, tmp_path):
    made = make_full(tmp_path, samples(seed), meta=videos(seed))
    assert find_gold(publish(made, tmp_path / "copy").folder, made) == []


def test_answers_that_everybody_says_are_no_finding(copy, full):
    known = {gold.answer for gold in full.gold("train")} & {gold.answer for gold in full.gold()}
    assert known  # "The query matches video 3."
    (copy / "readme.txt").write_text("\n".join(sorted(known)))
    texts = [finding.text for finding in find_gold(copy, full)]
    assert texts == ["readme.txt: is not known to belong to a benchmark"]


def test_hidden_splits_are_those_that_either_header_hides(copy, full):
    header = json.loads((copy / "benchmark.json").read_bytes())
    header["hidden"] = ["test"]
    (copy / "benchmark.json").write_bytes(readable(header))
    shutil.copy(full.folder / "val" / "gold.jsonl", copy / "val")
    assert "val/gold.jsonl" in {finding.file for finding in against(find_gold(copy, full))}
