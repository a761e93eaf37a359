"""What a public copy holds, what it hides, and what it is good for."""

import json
import os
import shutil

import pytest

from harness.benchmark import Benchmark, fingerprint
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.files import zstd
from harness.public_copy import find_gold, hidden_splits, publish
from harness.public_copy.layout import inner_path
from harness.sources.importing import ImportSettings, import_files
from tests.baselines.conftest import films, imported
from tests.public_copy.conftest import make_full, samples


def names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_copy_holds_what_is_known_to_belong_and_nothing_else(published, full):
    floors = {name for name in names(published) if name.startswith("floors/")}
    splits = {f"{split}/{file}" for split in ("train", "val", "test")
              for file in ("corpus.txt", "turns.jsonl", "candidates.jsonl")}  # fmt: skip
    assert names(published) - floors == {
        "benchmark.json", "videos.jsonl", *splits, "train/gold.jsonl", "train/reference.jsonl",
    }  # fmt: skip
    assert {name.rpartition("/")[2] for name in floors} == {
        "card.toml", "environment.json", "run.json", "predictions.jsonl.zst",
    }  # fmt: skip
    assert {name.split("/")[2] for name in floors} == {"none", "own"}


def test_the_fingerprint_is_the_same_and_no_hash_of_hidden_labels_is_named(published, full):
    header = Benchmark(published).checked().header
    assert header.fingerprint == full.header.fingerprint == fingerprint(published)
    assert (header.labels, header.hidden) == ("hidden", ("val", "test"))
    assert set(header.gold_sha256) == {"train"}
    text = "".join((published / name).read_bytes().decode("utf-8", "ignore")
                   for name in names(published))  # fmt: skip
    for secret in (*(full.header.gold_sha256[name] for name in ("val", "test")),
                   *(source.sha256 for source in full.header.sources)):  # fmt: skip
        assert secret not in text


@pytest.mark.parametrize(("hide", "hidden"), [(["test"], ("test",)), (["test", "val"],
                         ("val", "test")), (["none"], ())])  # fmt: skip
def test_which_splits_are_hidden_is_chosen(hide, hidden, public_labels, full, tmp_path):
    for made, name in ((public_labels, "a"), (full, "b")):
        copy = publish(made, tmp_path / name, hide=hide)
        benchmark = Benchmark(copy.folder).checked()
        assert copy.hidden == hidden
        for split in ("train", "val", "test"):
            files = ((copy.folder / split / f"{of}.jsonl").exists() for of in ("gold", "reference"))
            assert set(files) == {split not in hidden}
            assert (benchmark.labels(split) == "hidden") == (split in hidden)
            if split not in hidden:
                assert benchmark.gold(split) == made.gold(split)
                assert len(benchmark.reference(split)) == len(made.gold(split))


def test_labels_that_are_given_again_are_as_the_import_writes_them(public_labels, full, tmp_path):
    copy = publish(full, tmp_path / "copy", hide=["test"]).folder
    theirs = public_labels.folder / "val" / "reference.jsonl"
    assert (copy / "val" / "reference.jsonl").read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize(("hide", "expected"), [
    (None, "--hide test, --hide test,val or --hide none"), (["train"], '--hide "train"'),
    (["tset"], "expected some of: val, test, or none"), ([""], "--hide"),
    (["none", "test"], '--hide "none"'),
])  # fmt: skip
def test_what_cannot_be_hidden_is_wrong_usage(hide, expected, public_labels):
    with pytest.raises(WrongUsageError, match=expected):
        hidden_splits(public_labels, hide)


def test_floors_with_reference_history_repeat_gold_and_are_left_out(public_labels, tmp_path):
    copy = publish(public_labels, tmp_path / "copy", hide=["test"])
    assert not list(copy.folder.glob("floors/*/reference"))
    left = "floors/copy_previous/reference/predictions.jsonl.zst"
    assert left in copy.left_out
    (copy.folder / left).parent.mkdir(parents=True)
    shutil.copy(public_labels.folder / left, copy.folder / left)
    found = {finding.file for finding in find_gold(copy.folder, public_labels)}
    assert left in found


def test_floors_of_a_split_with_public_labels_keep_their_scores(public_labels, tmp_path):
    copy = publish(public_labels, tmp_path / "copy", hide=["val"]).folder  # the floors answer test
    assert (copy / "floors" / "random" / "own" / "scores.json").exists()
    assert (copy / "floors" / "copy_previous" / "reference" / "scores.outcomes.npz").exists()


def test_same_benchmark_same_bytes(full, published, tmp_path):
    again = publish(full, tmp_path / "again").folder
    assert names(again) == names(published)
    assert all((again / name).read_bytes() == (published / name).read_bytes()
               for name in names(again))  # fmt: skip


def test_leftovers_roots_and_files_of_ones_own_stay_behind(own_full, tmp_path):
    folder = own_full.folder
    for name in ("notes.txt", "test/gold.jsonl.bak", ".git/config", "test/mine.csv", "more/x"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("mine")
    (folder / "videos_root.txt").write_text(f"{tmp_path}\n")
    (folder / "link").symlink_to(folder / "source")
    copy = publish(own_full, tmp_path / "copy")
    assert find_gold(copy.folder, own_full) == []
    assert {"notes.txt", "videos_root.txt", "link", ".git/config"} <= set(copy.left_out)


def test_a_place_that_is_taken_or_in_the_benchmark_is_refused(full, published, tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("mine")
    for out in (tmp_path / "taken", full.folder / "public", full.folder.parent, full.folder):
        with pytest.raises(WrongUsageError):
            publish(full, out)
    assert (tmp_path / "taken" / "file").read_text() == "mine"


def test_a_copy_cannot_be_published_again_and_neither_what_changed(published, own_full, tmp_path):
    with pytest.raises(EnvironmentFailure, match="expected the gold"):
        publish(Benchmark(published), tmp_path / "again")
    with (own_full.folder / "test" / "turns.jsonl").open("ab") as stream:
        stream.write(b"\n")
    with pytest.raises(EnvironmentFailure, match="changed since the import"):
        publish(own_full, tmp_path / "again")
    assert not (tmp_path / "again").exists()


# Videos.


@pytest.fixture
def filmed(tmp_path):
    return imported(tmp_path, filmed=True, labels="hidden")


def test_videos_come_along_when_they_are_asked_for(filmed, tmp_path):
    without = publish(filmed, tmp_path / "without")
    assert (without.videos, without.described) == (0, 4)
    assert not (without.folder / "videos").exists()
    copy = publish(filmed, tmp_path / "copy", videos=True)
    assert (copy.videos, find_gold(copy.folder, filmed)) == (4, [])
    for video_id, data in films().items():
        assert (copy.folder / "videos" / video_id).read_bytes() == data


def test_what_stands_in_a_film_is_found(filmed, tmp_path):
    copy = publish(filmed, tmp_path / "copy", videos=True).folder
    name = next(path for path in names(copy) if path.endswith(".mp4"))
    data = (copy / name).read_bytes()
    (copy / name).unlink()  # it is a link to the benchmark's own
    (copy / name).write_bytes(data + b"\0" * 99 + filmed.gold()[0].dialogue_id.encode() + b"\0")
    found = [finding.text for finding in find_gold(copy, filmed)]
    assert found[0].startswith(f"{name}: holds the test dialogue d000000-")
    assert found[1:] == [f"{name}: differs from the benchmark's own file"]


def test_videos_elsewhere_are_copied_and_no_place_is_named(tmp_path):
    disk = tmp_path / "secret-disk"
    disk.mkdir()
    (disk / "cat.mp4").write_bytes(b"film")
    meta = [{"video_id": "A/cat.mp4", "path": str(disk / "cat.mp4")},
            {"video_id": "A/dog.mp4", "path": "../../etc/passwd"},
            {"video_id": "A/fox.mp4", "path": "test/gold.jsonl"},
            {"video_id": "B/cook.mp4"}]  # fmt: skip
    (tmp_path / "in.json").write_text(json.dumps(samples()))
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    import_files([tmp_path / "in.json"], tmp_path / "full", ImportSettings("x", labels="hidden"),
                 videos=tmp_path / "meta.json", videos_root=disk)  # fmt: skip
    copy = publish(Benchmark(tmp_path / "full"), tmp_path / "copy", videos=True)
    assert copy.videos == 1
    assert (copy.folder / "videos" / "000000.mp4").read_bytes() == b"film"
    text = (copy.folder / "videos.jsonl").read_text()
    assert "secret-disk" not in text
    assert "passwd" not in text
    assert not (copy.folder / "test" / "gold.jsonl").exists()
    assert "in videos that no" not in text


@pytest.mark.parametrize(("path", "inner"), [
    ("videos/a.mp4", "videos/a.mp4"), ("./videos//a.mp4", "videos/a.mp4"), ("/videos/a.mp4", None),
    ("../a.mp4", None), ("a/../../b", None), ("a\0b", None), ("", None), (None, None),
])  # fmt: skip
def test_a_path_of_meta_stays_inside(path, inner):
    assert inner_path(path) == inner


# Real text.


def small(shared, tmp_path, *splits):
    data = shared / "data"
    files = [data / f"charades-ivcr.{name}.json.gz" for name in splits]
    hide = tuple(name for name in ("val", "test") if name in splits) or ("test",)
    settings = ImportSettings("charades", labels="hidden", hide=hide)
    meta = data / "charades-ivcr.videos.json.gz"
    return Benchmark(import_files(files, tmp_path / "full", settings, videos=meta).folder)


def test_a_copy_of_real_text_is_clean(shared, tmp_path):
    made = small(shared, tmp_path, "small60")
    copy = publish(made, tmp_path / "copy")
    assert [finding for finding in copy.notes if finding.stands_against] == []
    shutil.copy(made.folder / "test" / "gold.jsonl", copy.folder / "train.txt")
    assert "train.txt" in {finding.file for finding in find_gold(copy.folder, made)}


@pytest.mark.long
def test_a_copy_of_all_the_real_text_is_clean(shared, tmp_path):
    made = small(shared, tmp_path, "train", "val", "test")
    assert publish(made, tmp_path / "copy").hidden == ("val", "test")


def test_a_killed_publication_leaves_nothing_under_its_name(full, tmp_path):
    child = os.fork()
    if child == 0:
        import harness.public_copy.copying as copying

        copying.find_gold = lambda *_: os._exit(9)
        copying.publish(full, tmp_path / "copy")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert not (tmp_path / "copy").exists()
    assert publish(full, tmp_path / "copy").files > 0
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_a_copy_hides_nothing_that_a_small_full_benchmark_needs(tmp_path):
    made = make_full(tmp_path / "in", samples(3), hide=("test",))
    copy = Benchmark(publish(made, tmp_path / "copy").folder)
    assert copy.split("test").turns == made.split("test").turns
    assert copy.videos == made.videos
    assert copy.gold("val") == made.gold("val")


def test_a_copy_for_exams_has_the_corpus_of_a_split_and_none_of_its_turns(full, tmp_path):
    folder = publish(full, tmp_path / "exam", hide=["none"], exam=["test"]).folder
    benchmark = Benchmark(folder).checked()
    split = benchmark.split("test")
    assert (split.turns, split.candidates) == ((), {})
    assert split.corpus == full.split("test").corpus
    assert benchmark.split("val") == full.split("val")
    assert benchmark.header.splits["test"] == {"corpus": len(split.corpus)}
    assert benchmark.header.exam.splits == ("test",)
    assert benchmark.header.exam.of == full.header.fingerprint != benchmark.header.fingerprint
    assert (benchmark.labels("test"), benchmark.labels("val")) == ("hidden", "public")
    # Neither a file nor the name of one tells a dialogue of the split, or how long it is.
    own = {turn.dialogue_id for turn in full.split("test").turns}
    others = {turn.dialogue_id for name in ("train", "val") for turn in full.split(name).turns}
    utterances = {turn.utterance for turn in full.split("test").turns} - {
        turn.utterance for name in ("train", "val") for turn in full.split(name).turns
    }
    for path in (path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if path.suffix == ".zst":
            data = zstd.decompress(data)
        for text in (own - others) | utterances:
            assert text.encode() not in data, path
