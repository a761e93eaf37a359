"""A checkpoint's key follows every file that can be loaded from its folder."""

import importlib
import re
import shutil
import sys
from pathlib import Path

import pytest
import transformers
from sentence_transformers.base.modules import Dense

from baselines.base import View
from baselines.encoders.image_text import load_clip
from baselines.encoders.resolve import FETCH, FETCHED, HASHED, locate_checkpoint
from baselines.encoders.sentence_model import load_sentence_model
from baselines.registry import find, load
from tests.baselines import tiny

UNREAD = {"README.md"}  # sentence-transformers keeps its text for cards of its own


def key(folder):
    return locate_checkpoint(str(folder), None).key


def dense_sentences(folder):
    return tiny.sentences(folder, 0, Dense(tiny.WIDTH, 8))


def local_mllm(folder):
    baseline, _ = load(find("local_mllm"), [f"checkpoint={folder}"])
    baseline.prepare(View({}, [], Path(), "own", 0, note=lambda _: None))


LOADERS = {
    tiny.clip: lambda folder: load_clip(str(folder), None),
    tiny.siglip: lambda folder: load_clip(str(folder), None),
    tiny.chinese_clip: lambda folder: load_clip(str(folder), None),
    dense_sentences: lambda folder: load_sentence_model(str(folder), None),
    tiny.llava: local_mllm,
    tiny.qwen2_vl: local_mllm,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    home = tmp_path_factory.mktemp("checkpoints")
    return {maker: maker(home / maker.__name__) for maker in LOADERS}


@pytest.mark.parametrize("maker", LOADERS, ids=lambda maker: maker.__name__)
def test_changing_any_file_that_a_library_saved_changes_the_key(made, tmp_path, maker):
    folder = shutil.copytree(made[maker], tmp_path / "copy")
    before, names = key(folder), set()
    assert before == key(made[maker])
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        path.write_bytes(data + b" ")
        assert (key(folder) != before) == (path.name not in UNREAD), path
        path.write_bytes(data)
        names.add(path.suffix)
    assert key(folder) == before
    assert names >= {".json", ".safetensors"}
    if maker is tiny.llava:
        assert ".jinja" in names  # the form of a conversation


OPENED = []
sys.addaudithook(lambda event, told: OPENED.append(told[0]) if event == "open" else None)


@pytest.mark.parametrize("maker", LOADERS, ids=lambda maker: maker.__name__)
def test_every_file_that_a_loader_opens_is_in_the_key(made, maker):
    folder = made[maker].resolve()
    OPENED.clear()
    LOADERS[maker](folder)
    paths = {Path(path) for path in OPENED if isinstance(path, str | Path)}
    found = {path.relative_to(folder).as_posix() for path in paths if folder in path.parents}
    assert "config.json" in found
    assert {name for name in found - UNREAD if not name.endswith(HASHED)} == set()


def test_every_vocabulary_that_transformers_knows_is_in_the_key():
    package, names = Path(transformers.__file__).parent, set()
    for path in package.glob("models/*/tokenization_*.py"):
        for table in re.findall(r"VOCAB_FILES_NAMES = \{(.*?)\}", path.read_text(), re.DOTALL):
            names.update(re.findall(r':\s*"([^"]+)"', table))
    hub = importlib.import_module("transformers.utils.hub")
    names |= {hub.CHAT_TEMPLATE_FILE, hub.LEGACY_PROCESSOR_CHAT_TEMPLATE_FILE}
    assert {"merges.txt", "tokenizer.json", "spiece.model", "chat_template.jinja"} <= names
    assert {name for name in names if not name.endswith(HASHED)} == set()


def test_a_renamed_file_changes_the_key_and_a_linked_folder_is_followed(made, tmp_path):
    folder = shutil.copytree(made[dense_sentences], tmp_path / "copy")
    before = key(folder)
    (folder / "2_Dense").rename(tmp_path / "elsewhere")
    (folder / "2_Dense").symlink_to(tmp_path / "elsewhere")
    (folder / "circle").symlink_to(folder)
    assert key(folder) == before
    (tmp_path / "elsewhere" / "config.json").write_text("{}")
    assert key(folder) != before
    changed = key(folder)
    (folder / "modules.json").rename(folder / "module.json")
    assert key(folder) != changed


def test_the_command_fetches_what_the_common_loaders_read():
    assert re.findall(r'"\*(\.\w+)"', FETCH) == list(FETCHED)
    assert {".json", ".txt", ".model", ".jinja", ".safetensors"} == set(FETCHED)
