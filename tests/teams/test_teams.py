"""A team is its folder; names that deceive are found."""

import pytest

from harness.errors import EnvironmentFailure, SubmissionError
from harness.teams.submission_folders import folders_in
from harness.teams.team_file import Team, read_team, team_problem
from harness.teams.team_names import name_problems, scripts_of, skeletons


def team(folder, name=None, **more):
    return Team(folder=folder, name=name or folder, **more)


def folder_with(root, name, text=None):
    folder = root / name
    folder.mkdir()
    if text is not None:
        (folder / "team.toml").write_text(text)
    return folder


def test_a_team_without_a_file_has_its_folders_name(tmp_path):
    assert read_team(folder_with(tmp_path, "our-team")) == team("our-team")


def test_what_a_teams_file_says(tmp_path):
    text = (
        'name = "視訊 Lab"\nmembers = ["A", "B"]\ncontact = "a@b.c"\nterms = "12"\nanonymous = true'
    )
    found = read_team(folder_with(tmp_path, "t1", text))
    assert found == team(
        "t1", "視訊 Lab", members=("A", "B"), contact="a@b.c", terms="12", anonymous=True
    )


@pytest.mark.parametrize(("folder", "text", "message"), [
    ("t", "name = 7", r"team\.toml: name: expected text, found 7; mend team\.toml"),
    ("t", 'name = "x"\nfolder = "y"', "unknown key folder"),
    ("t", 'members = ["x"]', "name is missing"),
    ("t", 'name = "x"\nanonymous = "yes"', "anonymous: expected true or false"),
    ("t", "name = ", "not TOML"),
    ("tëam", None, "expected a folder's name of 1 to 100 letters"),
    ("floors", None, "the name of the benchmark's own runs; name the team otherwise"),
])  # fmt: skip
def test_a_wrong_team_is_named_with_the_next_step(folder, text, message, tmp_path):
    with pytest.raises(SubmissionError, match=message):
        read_team(folder_with(tmp_path, folder, text))


def test_a_teams_file_that_is_a_link_out_is_not_read(tmp_path):
    (tmp_path / "secret.toml").write_text('name = "secret"')
    folder = folder_with(tmp_path, "t")
    (folder / "team.toml").symlink_to(tmp_path / "secret.toml")
    with pytest.raises(SubmissionError, match="link out"):
        read_team(folder)


def test_folders_of_teams_are_found_in_order_and_links_are_none(tmp_path):
    for name in ("b", "a", ".git", "__MACOSX"):
        (tmp_path / name).mkdir()
    (tmp_path / "challenge.toml").write_text("")
    (tmp_path / "c").symlink_to(tmp_path / "a")
    assert [folder.name for folder in folders_in(tmp_path)] == ["a", "b"]
    assert folders_in(tmp_path / "a") == []
    with pytest.raises(EnvironmentFailure, match="cannot be read"):
        folders_in(tmp_path / "absent")


def test_a_card_names_its_own_team():
    ours = team("t1", "Our team", terms="abc")
    assert team_problem(ours, "Our team", "abc") is None
    assert team_problem(ours, "t1", None) is None
    assert team_problem(ours, "Their team", "abc")[0] == "team"
    assert team_problem(ours, "our team", "abc")[0] == "team"
    ground, reason = team_problem(ours, "t1", "abd")
    assert (ground, "terms = 'abd'" in reason, "another version" in reason) == ("terms", True, True)


@pytest.mark.parametrize(("one", "other"), [
    ("paypal", "раypal"), ("Our team", "OUR TEAM"), ("Our team", "Our  team"), ("model", "rnodel"),
    ("Team 1", "Team l"), ("Team 0", "Team O"), ("fine", "ﬁne"), ("Straße", "STRASSE"),
    ("Ω lab", "Ω lab"), ("AB", "ＡＢ"), ("team", "te\u200bam"), ("ABC", "АВС"),
    ("our-team", "our_team"), ("wave", "vvave"),
])  # fmt: skip
def test_names_that_look_alike_are_found_on_both_sides(one, other):
    found = name_problems([team("t1", one), team("t2", other)])
    assert {(each.team, each.other) for each in found if each.other} == {("t1", "t2"), ("t2", "t1")}


def test_a_name_that_looks_like_anothers_folder_is_found():
    found = name_problems([team("ivcr-harness", "The harness"), team("t2", "IVCR-Harness")])
    assert ("t2", "ivcr-harness") in {(each.team, each.other) for each in found}


@pytest.mark.parametrize(("name", "what"), [
    ("a\u200bb", "hidden"), ("a\u202eb", "hidden"), ("a\u00adb", "hidden"),
    ("a\u3164b", "hidden"), ("a\ufe0fb", "hidden"), ("a\u00a0b", "hidden"),
    ("\U000e0061b", "hidden"), (" ab", "hidden"), ("a  b", "hidden"),
    ("pаypal", "mixed"), ("αβ lab", "mixed"),
])  # fmt: skip
def test_what_deceives_in_a_name_is_found(name, what):
    (found, *_) = name_problems([team("t1", name)])
    assert (found.team, found.kind, found.other) == ("t1", what, None)
    assert all(character.isprintable() for character in found.text)


@pytest.mark.parametrize("name", [
    "Team 1", "ivcr-harness", "北京 Video Lab", "東京チームA", "서울 Lab", "Команда",
    "Équipe d'été", "R&D (Zürich)", "Ομάδα", "naïve_2",
])  # fmt: skip
def test_honest_names_are_let_pass(name):
    assert name_problems([team("t1", name), team("t2", "Another")]) == []


def test_scripts_and_skeletons():
    assert scripts_of("Lab 北京, 2") == {"LATIN", "HAN"}
    assert skeletons("Naïve").isdisjoint(skeletons("Naive"))


def test_thousands_of_teams_of_one_name_are_each_told_of_a_few():
    found = name_problems([team(f"t{number}", "The same") for number in range(2000)])
    assert {each.team for each in found} == {f"t{number}" for number in range(2000)}
    assert len(found) < 10 * 2000
