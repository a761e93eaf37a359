"""ivcr data croissant: to a file or to standard output, and what it says of itself."""

import json

from harness.sources.importing import ImportSettings, import_files
from tests.public_copy.conftest import make_full
from tests.sources.test_ivcr200k import THREE


def test_it_goes_to_standard_output_or_to_a_file(ivcr, tmp_path):
    (tmp_path / "in.json").write_text(json.dumps(THREE))
    import_files([tmp_path / "in.json"], tmp_path / "b", ImportSettings("b"))
    code, out, err = ivcr("data", "croissant", tmp_path / "b")
    assert code == 0
    assert json.loads(out)["@type"] == "sc:Dataset"
    assert err == ("left out, because benchmark.json does not say it: licence, citation, url, "
                   "published, creators (its key `about`: docs/croissant.md)\n")  # fmt: skip
    code, shown, _ = ivcr("data", "croissant", tmp_path / "b", "--out", tmp_path / "c.json")
    assert (code, (tmp_path / "c.json").read_text()) == (0, out)
    assert "record sets" in shown


def test_of_hidden_labels_it_says_that_it_describes_the_copy(ivcr, tmp_path):
    made = make_full(tmp_path)
    code, out, err = ivcr("data", "croissant", made.folder)
    assert code == 0
    assert "describes the copy that participants get" in err
    assert made.header.gold_sha256["test"] not in out


def test_what_is_no_benchmark_ends_in_one_line(ivcr, tmp_path):
    code, out, err = ivcr("data", "croissant", tmp_path)
    assert (code, out) == (3, "")
    assert "expected a benchmark folder" in err
