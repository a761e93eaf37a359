"""What happens on each day of the rehearsal."""

import shutil

from tests.rehearsal import benchmarks
from tests.rehearsal.course import mentions
from tests.rehearsal.teams import (
    ALIAS,
    HONEST,
    REAL_NAME,
    bomb,
    forge,
    without_its_second_line,
)

FIXED = "label of the first dialogue fixed"


def opening(course):
    """The public copy, with a commitment to what is hidden; the first phase opens."""
    course.ivcr(
        "data", "publish", course.benchmark, "--out", course.root / "public",
        "--salts", course.root / "salts.json", "--submissions", course.submissions,
    )  # fmt: skip
    course.intake()


def first_arrivals(course):
    """Honest teams, careless ones and hostile ones, most of them at once."""
    course.now = "2026-01-06T12:00:00Z"
    hand_in, put = course.teams, course.teams.put
    for team in (*HONEST, "newer", "forger", "omits", "bomber"):
        hand_in.join(team)
        put(f"{team}/main")
    without_its_second_line(course.submissions / "omits" / "main")
    bomb(course.submissions / "bomber" / "main")
    hand_in.join("noterms", terms=None)
    put("noterms/main")
    hand_in.join("splits")
    put("splits/main", "test")
    hand_in.join("greedy")
    for number in range(1, 6):
        put(f"greedy/{number}", seed=number)
    hand_in.join("twice")
    twin(put("twice/main"), "same")
    hand_in.join("impostor")
    put("impostor/main", team="birch")
    hand_in.join("linker")
    linked(course, put("linker/main"))
    hand_in.join("copycat")
    shutil.copytree(course.submissions / "amber" / "main", course.submissions / "copycat" / "main")
    hand_in.join("q7x", ALIAS, anonymous=True)
    put("q7x/main", team=ALIAS)
    hand_in.join("leaver", members=["Lea Ver"], contact="lea@example.org")
    put("leaver/main")
    put("leaver/second", seed=2)
    course.intake()
    forge_a_file(course)
    course.said["first build"] = course.build("val")


def twin(folder, name):
    """The same run under another name."""
    shutil.copytree(folder, folder.with_name(name))


def linked(course, folder):
    """A run whose predictions are another team's, by a link, and a run that is a link itself."""
    (folder / "predictions.jsonl.zst").unlink()
    other = course.submissions / "birch" / "main"
    (folder / "predictions.jsonl.zst").symlink_to(other / "predictions.jsonl.zst")
    folder.with_name("run").symlink_to(other, target_is_directory=True)


def forge_a_file(course):
    """A scores.json of the forger's own making, on its machine, with all hashes right."""
    folder = course.submissions / "forger" / "main"
    course.ivcr("score", folder, "--benchmark", course.benchmark, "--split", "val")
    forge(folder)


def pull_requests(course):
    """Changes of the tree by strangers, of which one is fit."""
    course.now = "2026-01-07T09:00:00Z"
    hand_in, said = course.teams, course.said

    def joins(submissions):
        (submissions / "vandal").mkdir()
        team = f'name = "Vandal"\nterms = "{hand_in.terms}"\naccounts = ["vandal"]\n'
        (submissions / "vandal" / "team.toml").write_text(team)
        hand_in.put("vandal/main", at=submissions)

    def spoils_another(submissions):
        hand_in.put("cedar/main", seed=9, at=submissions)

    def renames_another(submissions):
        (submissions / "delta" / "team.toml").write_text('name = "Vandal"\naccounts = ["vandal"]\n')

    def edits_the_ledger(submissions):
        path = submissions / "ledger.jsonl"
        path.write_bytes(b"".join(path.read_bytes().splitlines(True)[:-1]))

    def links(submissions):
        (submissions / "vandal" / "link").symlink_to("../cedar/main")

    said["joins"] = course.pull_request("joins", joins, author="vandal")
    for change in (spoils_another, renames_another, edits_the_ledger, links):
        name = change.__name__
        said[name] = course.pull_request(name, change, author="vandal", code=1)


def second_arrivals(course):
    """What was refused is mended, in part; the first intake is killed and run again."""
    course.now = "2026-01-07T12:00:00Z"
    hand_in, put = course.teams, course.teams.put
    put("omits/main")
    put("splits/main")
    hand_in.join("noterms")
    put("newer/main", seed=2, skill=0.7)
    put("copycat/own")
    copied(course, "amber/main", "copycat/own")
    twin(course.submissions / "twice" / "main", "again")
    hand_in.join("lookalike", "\u0410mber")
    put("lookalike/main", team="\u0410mber")
    course.killed_intake()
    place = course.root / "uninterrupted"
    uninterrupted = shutil.copytree(course.submissions, place / "submissions", symlinks=True)
    course.intake()
    course.ivcr(*course.intake_arguments(submissions=uninterrupted, place=place))
    course.said["uninterrupted"] = (uninterrupted / "ledger.jsonl").read_bytes()
    course.said["killed"] = (course.submissions / "ledger.jsonl").read_bytes()
    course.said["second build"] = course.build("val")
    course.said["copies"] = course.ivcr(
        "probe", "copies", course.submissions, "--benchmark", course.benchmark, "--split", "val"
    )


def copied(course, source, to):
    """Another team's predictions beside one's own card."""
    name = "predictions.jsonl.zst"
    shutil.copy(course.submissions / source / name, course.submissions / to / name)


def withdrawal(course):
    """A team leaves, and its files with it."""
    course.now = "2026-01-10T12:00:00Z"
    course.ivcr("withdraw", "leaver", "--submissions", course.submissions, "--why", "at their wish")
    shutil.rmtree(course.submissions / "leaver")
    course.build("val")


def correction(course):
    """A label is fixed: the benchmark is imported again, and all is scored again."""
    course.now = "2026-01-15T12:00:00Z"
    fixed, _ = benchmarks.with_a_label_fixed(course.samples)
    shutil.copytree(course.root / "site-val", course.root / "site-before")
    course.benchmark = benchmarks.imported(course.root, fixed, course.meta, "second").folder
    course.said["rescored"] = course.intake("--rescore", "--why", FIXED)
    course.build("val")
    course.said["moved"] = course.ivcr(
        "leaderboard", "diff", course.root / "site-before", course.root / "site-val"
    )


def final_phase(course):
    """Runs on hidden labels; what they are worth waits for the phase's end."""
    course.now = "2026-02-03T12:00:00Z"
    put = course.teams.put
    for team in HONEST:
        put(f"{team}/final", "test")
    put("q7x/final", "test", team=ALIAS)
    put("splits/final", "val", seed=5)
    for number in (1, 2):
        put(f"greedy/final{number}", "test", seed=number)
    course.intake()
    course.build("test")
    course.said["rows while it runs"] = course.rows("test")


def late_submission(course):
    """The phase has closed; one more is let in by the organizers."""
    course.now = "2026-03-02T12:00:00Z"
    course.teams.join("tardy")
    course.teams.put("tardy/main", "test")
    course.intake()
    course.ivcr(
        "admit", "tardy/main", "--phase", "final", "--why", "their upload failed",
        "--submissions", course.submissions,
    )  # fmt: skip
    course.now = "2026-03-02T13:00:00Z"
    course.intake()


def ending(course):
    """Labels are opened, the anonymous team is revealed, and the last pages are built."""
    course.now = "2026-03-03T12:00:00Z"
    where = ("--submissions", course.submissions)
    salts = course.root / "salts.json"
    course.ivcr("data", "open-labels", course.benchmark, "--salts", salts, *where)
    labelled = course.root / "labelled"
    course.ivcr("data", "publish", course.benchmark, "--out", labelled, "--hide", "none")
    course.said["labels"] = course.ivcr("data", "verify-labels", labelled, *where)
    course.build("test")
    course.said["told before"] = mentions(course.root, REAL_NAME)
    course.ivcr("reveal", "q7x", "--name", REAL_NAME, *where)
    course.intake()
    for path in (course.submissions / "forger" / "main").glob("scores.*"):
        path.unlink()
    for split in ("val", "test"):
        course.build(split)


DAYS = (
    opening, first_arrivals, pull_requests, second_arrivals, withdrawal, correction, final_phase,
    late_submission, ending,
)  # fmt: skip
