"""What is taken from the record of a row, and what never is, whoever wrote it."""

import hashlib
import shutil
from pathlib import Path

import msgspec
import pytest

from baselines.features.feature_folder import read_feature_header
from baselines.registry import find
from baselines.reproduction.recorded_run import RunRecord, read_run, run_folder
from baselines.reproduction.recorded_settings import (
    SettingsReader,
    TrainedPart,
    training_command,
)
from harness.errors import SubmissionError, WrongUsageError
from tests.baselines.features.folders import feature_folder, random_rows
from tests.conftest import REPOSITORY

ROWS = REPOSITORY / "submissions" / "ivcr-harness"
RECORD = {
    "baseline": "bm25", "code_sha256": "0", "settings": {}, "history": "own", "seed": 0,
    "benchmark": {"name": "toy", "fingerprint": "0", "split": "test"},
}  # fmt: skip


def record(baseline, settings, **details):
    values = RECORD | {"baseline": baseline, "settings": settings, "details": details}
    return msgspec.convert(values, RunRecord)


def trained(folder, text="{}"):
    folder.mkdir()
    (folder / "checkpoint.json").write_text(text)
    return folder, hashlib.sha256(text.encode()).hexdigest()


def test_defaults_are_left_out():
    given = {"context": "all", "candidates": "unused"}
    assert SettingsReader(record("bm25", given)).settings() == {"context": "all"}


def test_a_trained_folder_is_found_by_its_hash_then_by_its_name(tmp_path):
    one, sha = trained(tmp_path / "one", "1")
    other, _ = trained(tmp_path / "dual", "2")
    of = record("dual_encoder", {"checkpoint": "dual"}, checkpoint=sha)
    assert SettingsReader(of, [other, one]).settings() == {"checkpoint": str(one)}
    of = record("dual_encoder", {"checkpoint": "dual"}, checkpoint="another")
    assert SettingsReader(of, [one, other]).settings() == {"checkpoint": str(other)}
    assert SettingsReader(of, [one]).settings() == {"checkpoint": str(one)}
    for folders in ([], [one, tmp_path / "one"]):
        with pytest.raises(WrongUsageError, match="ivcr baseline train dual_encoder"):
            SettingsReader(of, folders).settings()
    with pytest.raises(WrongUsageError, match="expected a folder of trained weights"):
        SettingsReader(of, [tmp_path])


def test_members_get_the_folders_of_their_own_details(tmp_path):
    one, first = trained(tmp_path / "one", "1")
    two, second = trained(tmp_path / "two", "2")
    members = [{"details": {"checkpoint": second}}, {"details": {"checkpoint": first}}]
    new = [{"baseline": "dual_encoder", "settings": {"checkpoint": "x"}, "weight": 2.0}] * 2
    for given in (
        {"member": new},
        {"members": "dual_encoder?checkpoint=x;dual_encoder?checkpoint=x"},
    ):
        found = SettingsReader(record("hybrid", given, members=members), [one, two]).settings()
        places = [each["settings"]["checkpoint"] for each in found["member"]]
        assert places == [str(two), str(one)]


@pytest.mark.parametrize(
    ("baseline", "settings", "why"),
    [
        ("endpoint", {"model": "m", "url": "https://thief.example"}, "is no setting that answers"),
        ("endpoint", {"key": "OPENAI_API_KEY"}, "is no setting that answers"),
        ("hybrid", {"member": [{"baseline": "endpoint", "settings": {"url": "x"}}]}, "no setting"),
        ("bm25", {"no_such": 1}, "is no setting that answers"),
        ("other/evil.py", {}, "is no baseline of the project"),
        (
            "hybrid",
            {"member": [{"baseline": "other/evil.py"}]},
            "is no baseline of the project",
        ),
        ("hybrid", {"member": [{"settings": {}}]}, "expected a baseline with its settings"),
        ("hybrid", {"member": [{"baseline": "bm25", "settings": 1}]}, "expected settings"),
        ("clip", {"checkpoint": "/etc"}, "a place on this machine"),
        ("clip", {"checkpoint": "../../secrets"}, "a place on this machine"),
        ("clip", {"checkpoint": "."}, "a place on this machine"),
    ],
)
def test_no_record_leads_to_other_code_servers_or_places(baseline, settings, why):
    with pytest.raises(SubmissionError, match=why):
        SettingsReader(record(baseline, settings)).settings()


def test_published_names_of_checkpoints_stay():
    name = "openai/clip-vit-base-patch32"
    assert SettingsReader(record("clip", {"checkpoint": name})).settings()["checkpoint"] == name


@pytest.mark.parametrize("name", ["a", "a/b/c", "../b", "a/..", "/a", "a/", "", "floors/x"])
def test_a_run_is_named_by_team_and_run(tmp_path, name):
    with pytest.raises(WrongUsageError):
        run_folder(name, tmp_path, tmp_path)


def test_floors_lie_in_the_benchmark(tmp_path):
    (tmp_path / "b" / "floors" / "random" / "own").mkdir(parents=True)
    found = run_folder("floors/random/own", tmp_path / "s", tmp_path / "b")
    assert found == tmp_path / "b" / "floors" / "random" / "own"


class Anywhere(SettingsReader):
    """Takes every folder, of weights and of features, for given."""

    def _folder(self, part):
        return Path("/trained") / part.sha256[:8]

    def _features_of(self, recorded):
        return f"/features/{recorded['key'][:8]}"


@pytest.mark.parametrize("row", sorted(path.parent.name for path in ROWS.glob("*/run.json")))
def test_every_row_of_the_board_can_be_read(row):
    reader = Anywhere(read_run(ROWS / row).record)
    reader.settings()
    for part in reader.parts:
        assert training_command(part).startswith(f"ivcr baseline train {part.entry.name} ")
        assert part.sha256


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        ({"size": "full"}, ["reader=events", "recogniser=DUAL_ENCODER"]),
        ({"size": "full", "reader": "events"}, ["reader=events", "recogniser=DUAL_ENCODER"]),
        ({"size": "small", "reader": "frames"}, ["size=small"]),
    ],
)
def test_a_localiser_is_trained_again_with_the_reader_that_it_had(recorded, expected):
    details = {"trained": {"settings": recorded, "seed": 0}}
    command = training_command(TrainedPart(find("tan2d"), "tan2d", details))
    assert command.split("tan2d-0", 1)[1].split(" --set ")[1:] == expected


def of_features(*keys, **settings):
    folders = [{"name": "clip", "key": key, "encoder": "E"} for key in keys]
    return record("two_tower", settings, checkpoint="0", features={"folders": folders})


def test_features_are_found_by_their_hashes_in_the_recorded_order(toy, tmp_path):
    weights, _ = trained(tmp_path / "weights")
    folders = [tmp_path / "one", tmp_path / "two"]
    for seed, folder in enumerate(folders):
        feature_folder(folder, random_rows(dict.fromkeys(toy.videos, 3), 4, seed), toy.folder)
    keys = [read_feature_header(folder).key for folder in folders]
    of = of_features(*reversed(keys), features=["elsewhere", "/etc"], checkpoint="weights")
    found = SettingsReader(of, [*folders, weights]).settings()
    assert found == {"checkpoint": str(weights), "features": (str(folders[1]), str(folders[0]))}
    twice = tmp_path / "copy"
    shutil.copytree(folders[0], twice)
    again = SettingsReader(of, [*folders, twice, weights]).settings()
    assert again["features"] == (str(folders[1]), str(twice))
    with pytest.raises(WrongUsageError, match=r"expected the features .*clip.* with the hash 1234"):
        SettingsReader(of_features("1234"), folders).settings()


def test_the_folder_of_a_text_encoder_is_found_by_its_name(tmp_path):
    weights, _ = trained(tmp_path / "weights")
    encoder = tmp_path / "minilm"
    encoder.mkdir()
    (encoder / "config.json").write_text("{}")
    of = record("two_tower", {"text": "minilm", "checkpoint": "weights"}, checkpoint="0")
    assert SettingsReader(of, [encoder, weights]).settings()["text"] == str(encoder)
    assert SettingsReader(of, [weights]).settings()["text"] == "minilm"
