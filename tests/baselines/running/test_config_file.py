"""A configuration file says what a baseline is made of, with errors that name the place."""

import re
from pathlib import Path

import pytest

from baselines.base import MemberConfig
from baselines.registry import all_baselines, find
from baselines.running.config_file import ConfigFile, read_config
from harness.errors import EnvironmentFailure, WrongUsageError

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def read(tmp_path):
    """Read a text as the configuration file of a baseline."""

    def made(text, name="hybrid"):
        file = tmp_path / "mix.toml"
        file.write_text(text, "utf-8")
        return read_config(file, find(name))

    return made


def test_members_have_weights_and_settings(read):
    assert read(
        """
        baseline = "hybrid"
        variant = "two of a kind"
        [settings]
        candidates = "used"
        [[member]]
        baseline = "bm25"
        [[member]]
        baseline = "clip"
        weight = 2
        [member.settings]
        context = "all"
        most = 3
        """
    ) == ConfigFile(
        {
            "candidates": "used",
            "member": (
                MemberConfig("bm25"),
                MemberConfig("clip", {"context": "all", "most": 3}, 2.0),
            ),
        },
        "two of a kind",
    )  # fmt: skip


def test_a_member_may_be_made_of_others(read):
    found = read(
        """
        [retriever]
        baseline = "hybrid"
        [[retriever.member]]
        baseline = "bm25"
        """,
        "two_stage",
    )
    inner = MemberConfig("hybrid", {"member": (MemberConfig("bm25"),)})
    assert found.settings == {"retriever": inner}


def test_any_baseline_can_be_described(read):
    assert read('[settings]\ncontext = "all"', "bm25").settings == {"context": "all"}


def test_paths_are_relative_to_the_file_and_names_stay(read, tmp_path, monkeypatch):
    (tmp_path / "trained").mkdir()
    (tmp_path / "all").mkdir()  # is no path here, whatever lies there
    (tmp_path / "elsewhere" / "other").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "elsewhere")
    found = read(
        """
        [[member]]
        baseline = "clip"
        settings = { checkpoint = "trained", context = "all" }
        [[member]]
        baseline = "clip"
        settings = { checkpoint = "org/name" }
        [[member]]
        baseline = "clip"
        settings = { checkpoint = "other" }
        """
    )
    settings = [member.settings for member in found.settings["member"]]
    assert settings[0] == {"checkpoint": str(tmp_path / "trained"), "context": "all"}
    assert settings[1] == {"checkpoint": "org/name"}
    assert settings[2] == {"checkpoint": str(tmp_path / "other")}, "never from where one stands"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("= 3", "expected TOML in UTF-8: "),
        ("members = 3", "members: unknown key; did you mean member. hybrid takes settings, member"),
        ("member = 3", "member: expected tables"),
        ("member = []", "member: expected tables"),
        ("[[member]]\nweight = 2", "member 1.baseline: expected a name"),
        ('[[member]]\nbaseline = "bm52"', "member 1.baseline: no baseline .* did you mean bm25"),
        ('[[member]]\nbaseline = "bm25"\n[[member]]\nbaseline = "bm25"\nweight = "2"',
         "member 2.weight: expected a number above 0, at most 1,000,000, found"),
        ('[[member]]\nbaseline = "bm25"\nweight = -1', "member 1.weight: expected a number"),
        ('[[member]]\nbaseline = "bm25"\nwieght = 1', "member 1.wieght: unknown key"),
        ('[[member]]\nbaseline = "bm25"\nsettings = 3', "member 1.settings: expected a table"),
        ('[[member]]\nbaseline = "bm25"\nsettings = {context = "x"}',
         'member 1.settings: context is one of last, all, decayed, found "x"'),
        ('[[member]]\nbaseline = "bm25"\nsettings = {contxt = "x"}', "did you mean context"),
        ('[[member]]\nbaseline = "clip"\nsettings = {most = "3"}', "most is a whole number"),
        ('[settings]\nmember = "bm25"', "settings.member: is a table of its own"),
        ('baseline = "pipeline"', "baseline: expected \"hybrid\", as the command names it"),
        (f'variant = "{"x" * 61}"', "variant: expected at most 60 characters, found 61"),
        ("variant = 3", "variant: expected a line of text"),
        ('"\\u001b[31m" = 1', r"unknown key"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_place(read, tmp_path, text, expected):
    with pytest.raises(WrongUsageError, match=expected) as refusal:
        read(text)
    assert str(refusal.value).startswith(f"{tmp_path / 'mix.toml'}: ")
    assert str(refusal.value).isprintable()


def test_a_stage_is_one_baseline_without_a_weight(read):
    with pytest.raises(WrongUsageError, match=r"localiser.weight: unknown key"):
        read('[localiser]\nbaseline = "tan2d"\nweight = 2', "pipeline")
    with pytest.raises(WrongUsageError, match="localiser: expected a table"):
        read('localiser = "tan2d"', "pipeline")


def test_a_file_that_is_absent_is_no_usage_error(tmp_path):
    with pytest.raises(EnvironmentFailure, match="cannot be read"):
        read_config(tmp_path / "none.toml", find("hybrid"))


@pytest.mark.parametrize("name", [e.name for e in all_baselines() if e.about.composed])
def test_the_example_of_each_composed_baseline_can_be_read(read, name):
    entry = find(name)
    text = (ROOT / entry.file).read_text("utf-8").split('"""')[1]
    example = "\n".join(re.findall(r"^    (.*)$", text, re.MULTILINE))
    assert read(example, name).settings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("member = " + "[" * 1000 + "]" * 1000, "at most 300 tables"),
        ("[[" + ".".join(["member"] * 400) + "]]", "at most 16 parts"),
        ("variant" + ".a" * 5000 + " = 1", "at most 16 parts"),
        ("member = " + "{a = " * 100 + "1" + "}" * 100, "at most 16 deep"),
        ("member = " + "{a = " * 10 + "1" + "}" * 10, r"\[\[member\]\], found"),
        ("[settings]\ncandidates = 0x" + "f" * 6000, "too large to show"),
        ("#" * 70_000, "at most 65,536 bytes"),
        *(
            (f'[[member]]\nbaseline = "bm25"\nweight = {weight}', "above 0, at most 1,000,000")
            for weight in ("inf", "nan", "0", "-1", "1e17", "9" * 400, "0x" + "f" * 6000, "true")
        ),
        *((f"member = {value}", "found") for value in ("[]", "3", "{}")),
    ],
    ids=lambda value: value[:30],
)
def test_hostile_files_end_in_one_line(read, text, expected):
    with pytest.raises(WrongUsageError, match=expected) as caught:
        read(text)
    assert len(str(caught.value)) < 1000


def test_members_are_at_most_three_deep(read):
    chain = "\n".join(
        f'[[{".".join(["member"] * depth)}]]\nbaseline = "{name}"'
        for depth, name in enumerate(["hybrid", "hybrid", "hybrid", "bm25"], start=1)
    )
    with pytest.raises(WrongUsageError, match="at most 3 deep"):
        read(chain)


def test_what_is_no_plain_file_is_refused(tmp_path):
    with pytest.raises(WrongUsageError, match="expected a file of TOML"):
        read_config(tmp_path, find("hybrid"))
