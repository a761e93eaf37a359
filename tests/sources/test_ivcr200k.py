"""The importer: what is kept, dropped and counted of odd files; the same folder everywhere."""

import gzip
import hashlib
import json
import os
import subprocess
import sys

import pytest

from harness.benchmark import Benchmark
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.records import Span
from harness.sources.importing import ImportSettings, import_files
from harness.sources.official_dialogue import language_of

TEN = [f"A/{number}.mp4" for number in range(10)]


def human(value, **more):
    return {"from": "human", "value": value, **more}


def video(gold="A/0.mp4", candidates=TEN, **more):
    answer = {"from": "gpt", "value": "It is video 1.", "video_id": gold, "gt_se": [-1, -1]}
    return {**answer, "candidate_videos": candidates, **more}


def moment(span, gold="A/0.mp4", **more):
    return video(gold, value=f"At {span[0]}s-{span[1]}s.", gt_se=span, **more)


def dialogue(*conversations, split="test", type=1, **more):  # noqa: A002
    return {"split": split, "type": [type], "conversations": list(conversations), **more}


@pytest.fixture
def imported(tmp_path):
    def run(*samples, meta=None, **settings):
        file = tmp_path / "data.json"
        file.write_text(json.dumps(list(samples)), "utf-8")
        videos = None
        if meta is not None:
            videos = tmp_path / "meta.json"
            videos.write_text(json.dumps(meta), "utf-8")
        out = tmp_path / "benchmark"
        made = import_files([file], out, ImportSettings("toy", **settings), videos=videos)
        return Benchmark(out).checked(), {row.code: row.count for row in made.oddities}

    return run


def test_a_plain_dialogue_becomes_turns_candidates_and_gold(imported):
    benchmark, odd = imported(
        dialogue(human("find it", text_id="t:1"), video(tags=["pixel"], foil="A/3.mp4"),
                 human("when?"), moment([1.25, 3.5])),
    )  # fmt: skip
    split, gold = benchmark.split(), benchmark.gold()
    digest = hashlib.sha256(b"find it\nwhen?").hexdigest()[:8]
    assert [turn.key for turn in split.turns] == [
        (f"d000000-{digest}", 1),
        (f"d000000-{digest}", 2),
    ]
    assert [turn.task for turn in split.turns] == ["video", "moment"]
    assert split.candidates[split.turns[0].key] == tuple(TEN)
    assert split.corpus == tuple(TEN)
    assert (gold[0].video_id, gold[0].tags, gold[0].foil) == ("A/0.mp4", ("pixel",), "A/3.mp4")
    assert gold[1].moment == Span(1250, 3500)
    assert gold[0].text_id == "t:1"
    assert odd == {}


def asked(answer, **more):
    return dialogue(human("a"), answer, **more)


ODD_DIALOGUES = {
    "no-dialogue": [17, {"split": "test"}],
    "unknown-split": [dialogue(human("a"), video(), split="dev")],
    "no-type": [{"split": "test", "type": [], "conversations": [human("a"), video()]}],
    "no-turn": [dialogue(video())],
    "several-types": [{**dialogue(human("a"), video()), "type": [2, 3]}],
    "bad-id": [dialogue(human("a"), video(), id="x\n")],
    "duplicate-id": [asked(video(), id="same"), asked(video(), id="same", split="val")],
    "no-answer": [dialogue(human("a"), human("b"), video(), human("c"))],
    "no-question": [dialogue(video(), human("b"), video())],
    "bad-entry": [dialogue(human("a"), video(), 5, {"from": "tool", "value": "x"})],
    "bad-characters": [dialogue(human("a\ud800"), video())],
    "empty-utterance": [dialogue(human("  "), video())],
    "repeated-utterance": [dialogue(human("a"), video(), human("a"), video())],
    "no-gold": [dialogue(human("a"), video(gold=None))],
    "bad-span": [asked(moment([1, "x"])), dialogue(human("b"), moment([float("nan"), 3]))],
    "empty-span": [dialogue(human("a"), moment([3, 3]))],
    "reversed-span": [dialogue(human("a"), moment([5, 3]))],
    "negative-span": [dialogue(human("a"), moment([-2, 3]))],
    "span-outside": [dialogue(human("a"), moment([2, 11]))],
    "span-beyond": [dialogue(human("a"), moment([10, 11]))],
    "bad-candidates": [dialogue(human("a"), video(candidates=[*TEN[:9], TEN[0]]))],
    "not-ten-candidates": [dialogue(human("a"), video(candidates=TEN[:4]))],
    "gold-not-candidate:video": [dialogue(human("a"), video(candidates=[*TEN[1:], "A/x.mp4"]))],
    "gold-not-candidate:moment": [asked(moment([1, 2], candidates=[*TEN[1:], "A/x.mp4"]))],
    "no-metadata": [dialogue(human("a"), video("A/y.mp4", candidates=[*TEN[1:], "A/y.mp4"]))],
}  # fmt: skip


@pytest.mark.parametrize("code", ODD_DIALOGUES)
def test_odd_data_is_counted_under_its_own_code(imported, code):
    meta = [{"video_id": name, "duration": 10.0} for name in [*TEN, "A/x.mp4"]]
    plain = dialogue(human("plain"), video())
    benchmark, odd = imported(plain, *ODD_DIALOGUES[code], meta=meta)
    assert odd[code] >= 1
    further = {"no-turn": {"no-question"}, "no-metadata": {"unnamed-metadata"}}
    expected = {code} | further.get(code, set())
    assert set(odd) == expected
    assert len(benchmark.gold()) == len(benchmark.split().turns)


def test_every_oddity_has_a_case():
    from harness.sources.oddities import ODDITIES

    # test_video_checks.py has those of META and of files.
    assert set(ODDITIES) - set(ODD_DIALOGUES) == {
        "near-metadata", "unnamed-metadata", "outside-path", "missing-file",
        "duration-milliseconds", "far-durations", "other-duration",
    }  # fmt: skip


def test_a_turn_without_usable_gold_is_a_chat_turn(imported):
    benchmark, _ = imported(dialogue(human("a"), moment([3, 3]), human("b"), video(gold=None)))
    assert [turn.task for turn in benchmark.split().turns] == ["chat", "chat"]
    assert [gold.video_id for gold in benchmark.gold()] == [None, None]


def test_reversed_spans_are_put_in_order(imported):
    benchmark, _ = imported(dialogue(human("a"), moment([5.5, 3])))
    assert benchmark.gold()[0].moment == Span(3000, 5500)


def test_hidden_labels_withhold_the_reference(imported):
    benchmark, _ = imported(
        dialogue(human("a"), video()), dialogue(human("b"), video(), split="train"), labels="hidden"
    )
    assert benchmark.reference("test") is None
    assert benchmark.reference("train") is not None


THREE = [dialogue(human(name), video(), split=name) for name in ("train", "val", "test")]


@pytest.mark.parametrize(
    ("hide", "hidden"),
    [({}, ["test"]), ({"hide": ("test", "val")}, ["val", "test"]), ({"hide": ("val",)}, ["val"])],
)
def test_the_splits_that_are_hidden_are_chosen_and_the_others_are_there_to_tune_on(
    imported, hide, hidden
):
    benchmark, _ = imported(*THREE, labels="hidden", **hide)
    labels = {name: benchmark.labels(name) for name in ("train", "val", "test")}
    assert [name for name, found in labels.items() if found == "hidden"] == hidden
    assert [name for name in labels if benchmark.reference(name) is None] == hidden
    assert benchmark.header.hidden == tuple(hidden)


def test_a_benchmark_made_before_splits_were_named_hides_all_but_train(imported):
    benchmark, _ = imported(*THREE, labels="hidden")
    path = benchmark.folder / "benchmark.json"
    path.write_text(path.read_text().replace('"hidden": [\n    "test"\n  ],', ""))
    older = Benchmark(benchmark.folder).checked()
    assert older.header.hidden == ()
    assert [older.labels(name) for name in ("train", "val", "test")] == [
        "public", "hidden", "hidden",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("hide", "expected"),
    [(("test",), "test: is to be hidden, but the files have no such split .they have train, val."),
     (("train",), "--hide .train.: expected one of: val, test"),
     (("tset",), "--hide .tset.: expected one of: val, test")],
)  # fmt: skip
def test_a_split_that_cannot_be_hidden_is_refused_and_nothing_is_left(
    imported, tmp_path, hide, expected
):
    with pytest.raises(WrongUsageError, match=expected):
        imported(*THREE[:2], labels="hidden", hide=hide)
    assert not (tmp_path / "benchmark").exists()


def test_corpus_all_takes_every_described_video(imported):
    meta = [{"video_id": name} for name in [*TEN, "B/z.mp4"]]
    benchmark, _ = imported(dialogue(human("a"), video()), meta=meta, corpus="all")
    assert "B/z.mp4" in benchmark.split().corpus


@pytest.mark.parametrize("bad", ["[", "{}", "[]", "[[]]", '"text"', "\x00"])
def test_a_file_that_is_no_data_file_leaves_nothing_behind(tmp_path, bad):
    file = tmp_path / "data.json"
    file.write_text(bad)
    with pytest.raises(EnvironmentFailure):
        import_files([file], tmp_path / "out", ImportSettings("toy"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.json"]


def test_an_existing_folder_is_not_touched(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(WrongUsageError, match="exists already"):
        import_files([tmp_path / "data.json"], tmp_path / "out", ImportSettings("toy"))


def test_changed_gold_and_changed_turns_are_noticed(imported):
    benchmark, _ = imported(dialogue(human("a"), video()))
    gold = benchmark.folder / "test" / "gold.jsonl"
    gold.write_bytes(gold.read_bytes().replace(b"A/0", b"A/1"))
    with pytest.raises(EnvironmentFailure, match="changed since the import"):
        benchmark.gold()
    corpus = benchmark.folder / "test" / "corpus.txt"
    corpus.write_text("A/1.mp4\n")
    with pytest.raises(EnvironmentFailure, match="changed since the import"):
        benchmark.checked()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("plain", "en"),
        ("找视频", "zh"),
        ("find 车", "zh"),
        ("カナ", "en"),
        ("한국어", "en"),
        ("𠀀", "zh"),
    ],
)
def test_language_is_chinese_if_an_ideograph_occurs(text, language):
    assert language_of(text) == language


def test_import_of_real_text_counts_what_its_description_states(shared, tmp_path):
    data = shared / "data"
    made = import_files(
        [data / "charades-ivcr.test.json.gz"],
        tmp_path / "out",
        ImportSettings("charades"),
        videos=data / "charades-ivcr.test.videos.json.gz",
    )
    counts = Benchmark(tmp_path / "out").header.splits["test"]
    assert counts["dialogues"] == 2032
    assert (counts["video"], counts["moment"]) == (5022, 3330)
    assert {row.code: row.count for row in made.oddities}["gold-not-candidate:video"] == 391
    with gzip.open(data / "charades-ivcr.test.json.gz") as stream:
        samples = json.load(stream)
    utterances = [e["value"] for s in samples for e in s["conversations"] if e["from"] == "human"]
    assert {row.code: row.count for row in made.oddities}["repeated-utterance"] == len(
        utterances
    ) - len(set(utterances))


def test_the_fingerprint_does_not_depend_on_the_hash_seed(tmp_path):
    file = tmp_path / "data.json"
    samples = [dialogue(human(f"u{n}"), video(f"A/{n % 10}.mp4")) for n in range(50)]
    file.write_text(json.dumps(samples))
    script = (
        "import sys; from pathlib import Path; from harness.benchmark import Benchmark\n"
        "from harness.sources.importing import ImportSettings, import_files\n"
        "out = Path(sys.argv[2]); import_files([Path(sys.argv[1])], out, ImportSettings('toy'))\n"
        "print(Benchmark(out).header.fingerprint)"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", script, str(file), str(tmp_path / seed)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
