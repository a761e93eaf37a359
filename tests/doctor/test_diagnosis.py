"""What the doctor finds, on this machine and on ones that lack something."""

import json
import shutil
import sys
import time
import tomllib
from importlib import metadata
from pathlib import Path

import av
import pytest
from packaging.requirements import Requirement

from harness.doctor import codecs, diagnose, machine, software
from harness.doctor.results import EnvironmentCheck, ProbeError, guarded, probe

ROOT = Path(__file__).resolve().parents[2]


def test_a_check_that_fails_leaves_the_others_their_results(tmp_path):
    def explodes():
        raise RuntimeError("the disk is gone\nand more")

    found = diagnose(tmp_path, [("one", explodes), ("two", machine.memory)])
    assert [result.state for result in found.results] == ["broken", "ok"]
    assert found.results[0].found == "the check itself failed: RuntimeError: the disk is gone"
    assert found.is_complete


def test_a_process_that_ends_itself_or_hangs_is_a_result(monkeypatch):
    with pytest.raises(ProbeError, match="exit code"):
        probe("-c", "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(ProbeError, match="ImportError: no such library"):
        probe("-c", "raise ImportError('no such library')")
    monkeypatch.setattr("harness.doctor.results.PATIENCE", 0.2)
    begun = time.monotonic()
    with pytest.raises(ProbeError, match="no answer within"):
        probe("-c", "import time; time.sleep(60)")
    assert time.monotonic() - begun < 30


def test_checks_run_side_by_side(tmp_path):
    def waits():
        time.sleep(0.5)
        return [EnvironmentCheck("g", "n", "ok", "here")]

    begun = time.monotonic()
    assert len(diagnose(tmp_path, [("g", waits)] * 8).results) == 8
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize("codec", codecs.ENCODERS)
def test_a_codec_that_pyav_can_write_and_read_is_tried(codec):
    encoders = [name for name in codecs.ENCODERS[codec] if name in av.codecs_available]
    found = codecs.tried(codec)
    assert found.startswith("decodes" if encoders else "has a decoder")


def test_a_decoder_that_lies_is_found_out(monkeypatch):
    real = av.open

    class Dark:
        def __init__(self, container):
            self._container = container

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self._container.close()

        def decode(self, **which):
            for frame in self._container.decode(**which):
                yield av.VideoFrame.from_ndarray(frame.to_ndarray(format="rgb24") // 4)

    monkeypatch.setattr(av, "open", lambda file, mode, **more: Dark(real(file))
                        if mode == "r" else real(file, mode, **more))  # fmt: skip
    assert codecs.tried("mpeg4").startswith("failed: a frame's brightness is off")


def test_without_a_decoder_of_h264_the_environment_is_not_complete(monkeypatch, tmp_path):
    answer = {"version": "1", "codecs": {"h264": "no decoder", "av1": "no decoder"}}
    monkeypatch.setattr(codecs, "probe", lambda *arguments: answer)
    found = diagnose(tmp_path, [("video", codecs.codecs)])
    assert [(each.name, each.state) for each in found.results] == [
        ("PyAV", "ok"), ("h264", "broken"), ("av1", "absent"),
    ]  # fmt: skip
    assert not found.is_complete


def test_each_extra_has_what_pyproject_says():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    expected = {"": project["dependencies"], **project["optional-dependencies"]}
    found = software.requirements(metadata.requires("ivcr-harness"), list(expected))
    assert set(found) == set(expected)
    for name, needs in found.items():
        here = [Requirement(each) for each in expected[name]]
        wanted = {each.name for each in here if each.marker is None or each.marker.evaluate()}
        assert {each.name for each in needs} == wanted


def test_markers_decide_what_is_needed_here():
    lines = ['a>=1; python_version < "3"', 'b; extra == "x"', 'c; extra == "x" or extra == "y"',
             'd==2; python_version >= "3" and extra == "y"', "e"]  # fmt: skip
    found = software.requirements(lines, ["x", "y"])
    assert {name: [str(each.name) for each in needs] for name, needs in found.items()} == {
        "x": ["b", "c"], "y": ["c", "d"], "": ["e"],
    }  # fmt: skip


def test_a_missing_package_is_named_with_the_command_that_brings_it(monkeypatch):
    real = metadata.version

    def version(name):
        if name == "torch":
            raise metadata.PackageNotFoundError(name)
        return "0.1" if name == "safetensors" else real(name)

    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setattr(software, "_editable", lambda: None)
    (demo,) = (each for each in software.extras() if each.name == "demo")
    assert demo.state == "absent"
    assert demo.found == "lacks safetensors<1,>=0.8 (is 0.1), torch (ivcr demo)"
    assert demo.step == "pip install 'ivcr-harness[demo]'"
    assert not demo.is_fault


def test_a_missing_package_of_the_core_is_a_fault(monkeypatch):
    def version(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)
    assert [each.name for each in software.extras() if each.is_fault] == ["needed by all"]


def test_a_cache_that_cannot_be_written_is_a_fault(tmp_path, monkeypatch):
    def refuse(**where):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    (found,) = machine.cache_folder(tmp_path / "not/yet")
    assert found.is_fault
    assert "cannot be written: Permission denied" in found.found
    assert "IVCR_CACHE" in found.step


def test_the_size_of_a_cache_is_that_of_its_files(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a").write_bytes(b"x" * 1536)
    (tmp_path / "b").write_bytes(b"y" * 512)
    assert machine.cache_folder(tmp_path)[0].found == f"{tmp_path} (2.0 KiB in 2 files)"
    assert {path.name for path in tmp_path.iterdir()} == {"in", "b"}


def test_a_full_disk_is_a_fault(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=1 << 20))
    assert all(each.is_fault and "1.0 MiB free" in each.found for each in machine.disk(tmp_path))


def test_without_torch_it_is_not_imported(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(machine, "probe", lambda *arguments: pytest.fail("imported"))
    (found,) = machine.gpu()
    assert (found.name, found.state) == ("torch", "absent")
    assert "[baselines]" in found.step


def test_a_gpu_is_named_with_its_memory(monkeypatch):
    answer = {"version": "9", "seconds": 1.25, "devices": [["Some GPU", 80 << 30]]}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setattr(machine, "probe", lambda *arguments: answer)
    assert [each.found for each in machine.gpu()] == ["9, imported in 1.2 s", "Some GPU, 80.0 GiB"]


def test_the_command_has_a_table_a_document_and_an_exit_code(ivcr, monkeypatch, tmp_path):
    def stands(cache):
        return [("video", lambda: [EnvironmentCheck("video", "PyAV", "ok", "1", needed=True)])]

    monkeypatch.setattr("harness.doctor.diagnosis.checks", stands)
    code, out, _ = ivcr("doctor", "--cache", tmp_path)
    assert (code, out) == (0, "video\n  ok      PyAV  1\n")

    def lacks(cache):
        row = EnvironmentCheck("video", "PyAV", "broken", "gone", "install it", needed=True)
        return [("video", lambda: [row])]

    monkeypatch.setattr("harness.doctor.diagnosis.checks", lacks)
    code, out, _ = ivcr("doctor", "--cache", tmp_path)
    assert (code, out) == (3, "video\n  broken  PyAV  gone\n                -> install it\n")
    code, out, _ = ivcr("doctor", "--cache", tmp_path, "--format", "json")
    assert code == 3
    assert json.loads(out) == {
        "schema": 1, "complete": False,
        "checks": [{"group": "video", "name": "PyAV", "state": "broken", "found": "gone",
                    "step": "install it", "needed": True}],
    }  # fmt: skip


def test_this_machine_can_do_what_every_command_needs(ivcr, tmp_path):
    """The whole command, as it is: the tests run in an environment with all extras."""
    code, out, err = ivcr("doctor", "--cache", tmp_path / "cache", "--format", "json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert found["complete"]
    names = {check["name"] for check in found["checks"]}
    assert {"ivcr", "Python", "h264", "cache", "memory", "torch"} <= names
    python = next(check for check in found["checks"] if check["name"] == "Python")
    assert python["found"].startswith(".".join(map(str, sys.version_info[:2])))
    assert not (tmp_path / "cache").exists()


def test_a_check_without_a_name_is_named_all_the_same():
    (found,) = guarded("g", lambda: 1 / 0)
    assert "ZeroDivisionError" in found.found
