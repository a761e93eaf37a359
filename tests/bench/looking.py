"""Do the visual baselines use the frames? Trains and runs them and their controls, and compares.

    python -m tests.bench.looking BENCHMARK OUT --seeds 0 1 2

Makes OUT/<seed>/<baseline> (checkpoints) and OUT/runs/<name> (scored submissions). Existing ones
are used, so an interrupted run can be started again. About twenty minutes per seed on two cores.
Prints, for each seed, one table per question: the paired differences of `ivcr compare` with 95 %
intervals, the share of golds ahead of their foils, and the figures under the controls.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from harness.benchmark import Benchmark
from harness.comparison import compare
from harness.comparison.differences import Difference

FLOORS = ("bm25", "random", "copy_previous", "candidates_as_given", "candidate_vote", "train_prior",
          "whole_video")  # fmt: skip
LOCALISERS = ("tan2d", "moment_detr")
CONTROLS = ("videos_permuted", "frames_shuffled", "events_shuffled", "text_alone")
MOMENT = "R@1,IoU>=0.5"
IVCR = "from harness.cli import main; main()"
KINDS = ("order", "time", "place")


class Runs:
    """The runs of one benchmark, made on demand."""

    def __init__(self, benchmark: Path, out: Path) -> None:
        self._folder, self._out = benchmark, out
        self._benchmark = Benchmark(benchmark)
        (out / "runs").mkdir(parents=True, exist_ok=True)

    def trained(self, name: str, seed: int, *settings: str, label: str = "") -> Path:
        """The checkpoint of a baseline; localisers use the dual encoder's recogniser."""
        folder = self._out / str(seed) / (label or name)
        if not (folder / "checkpoint.json").is_file():
            assignments = list(settings)
            if name in LOCALISERS:
                assignments.append("reader=events")
                assignments.append(f"recogniser={self._out / str(seed) / 'dual_encoder'}")
            self._ivcr("baseline", "train", name, "--benchmark", self._folder, "--out", folder,
                       "--seed", seed, *_set(assignments))  # fmt: skip
        return folder

    def run(
        self, name: str, label: str, *settings: str, history: str = "own", seed: int = 0
    ) -> Path:
        """A scored submission."""
        return self._scored(name, label, history, seed, _set(settings))

    def composed(self, name: str, label: str, *tables: str, seed: int = 0) -> Path:
        """A scored submission of a baseline that is made of others, with own history."""
        file = self._out / f"{label}.toml"
        file.write_text("\n".join(tables), "utf-8")
        return self._scored(name, label, "own", seed, ["--config", str(file)])

    def _scored(self, name: str, label: str, history: str, seed: int, chosen: list[str]) -> Path:
        folder = self._out / "runs" / label
        if not folder.is_dir():
            self._ivcr("baseline", "run", name, "--benchmark", self._folder, "--history", history,
                       "--seed", seed, "--out", folder, *chosen)  # fmt: skip
            self._ivcr("score", folder, "--benchmark", self._folder)
        return folder

    def rows(
        self, folders: list[Path], metric: str, part: str
    ) -> dict[tuple[str, str], Difference]:
        """By the two folders' names the paired difference on one slice."""
        found = compare(folders, self._benchmark, dialogues=0, further=[part])
        names = {
            shown.label: folder.name for shown, folder in zip(found.systems, folders, strict=True)
        }
        return {
            (names[row.first], names[row.second]): row
            for row in found.differences
            if (row.metric, row.slice) == (metric, part)
        }

    def _ivcr(self, *arguments: object) -> None:
        done = subprocess.run(
            [sys.executable, "-c", IVCR, *map(str, arguments)], check=False, text=True,
            stdout=subprocess.DEVNULL, stderr=sys.stderr,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{arguments[0]} {arguments[1]}: ended with {done.returncode}")


def main() -> None:
    """Train, run, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("benchmark", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--small", action="store_true", help="also the small dual encoder")
    arguments = parser.parse_args()
    runs = Runs(arguments.benchmark, arguments.out)
    _retrieval(runs, arguments.seeds)
    _moments(runs, arguments.seeds)
    _controls(runs, arguments.seeds)
    if arguments.small:
        _small(runs, arguments.seeds)


def _retrieval(runs: Runs, seeds: list[int]) -> None:
    floors = [runs.run(name, name) for name in FLOORS]
    print("## R@1 on pixel turns: dual encoder minus the best of BM25 and the floors")
    encoders = [_encoder(runs, seed) for seed in seeds]
    for encoder in encoders:
        print(_against(runs, encoder, floors, "R@1", "tag=pixel"))
    print("## gold ahead of its foil, %")
    for folder in [*encoders, floors[0]]:
        ahead = [_value(folder, "ahead_of_foil", f"tag={kind}") for kind in KINDS]
        print(
            f"{folder.name}: "
            + ", ".join(f"{k} {v:.1f}" for k, v in zip(KINDS, ahead, strict=True))
        )
    print("## hybrid minus each of its members, R@1 overall")
    checkpoints = [runs.trained("dual_encoder", seed) for seed in seeds]
    members = [f"[[member]]\n{_member('dual_encoder', folder)}" for folder in checkpoints]
    hybrid = runs.composed("hybrid", "hybrid", *members)
    rest = [*encoders, floors[0]]
    for pair, row in runs.rows([hybrid, *rest], "R@1", "all").items():
        if pair[0] == "hybrid":
            print(_line(pair, row))


def _moments(runs: Runs, seeds: list[int]) -> None:
    print(f"## {MOMENT}, reference history: localisers minus the best prior")
    priors = [
        runs.run(name, f"{name}-reference", history="reference")
        for name in ("train_prior", "whole_video", "random", "copy_previous")
    ]
    for name in LOCALISERS:
        for seed in seeds:
            given = f"checkpoint={runs.trained(name, seed)}"
            found = runs.run(name, f"{name}-{seed}", given, history="reference", seed=seed)
            print(_against(runs, found, priors, MOMENT, "all"))
    for seed in seeds:
        stages = {"retriever": "dual_encoder", "localiser": "tan2d"}
        tables = [
            f"[{stage}]\n{_member(name, runs.trained(name, seed))}"
            for stage, name in stages.items()
        ]
        whole = runs.composed("pipeline", f"pipeline-{seed}", *tables, seed=seed)
        print(f"pipeline-{seed}, own history: {_value(whole, MOMENT, 'all'):.1f}")


def _controls(runs: Runs, seeds: list[int]) -> None:
    print("## controls of the dual encoder: R@1, R@1 on pixel turns, golds ahead of foils, %")
    against = runs.run("random", "random")
    shown = [runs.run("bm25", "bm25"), *(_encoder(runs, seed) for seed in seeds[:1])]
    for control in CONTROLS:
        given = f"checkpoint={runs.trained('dual_encoder', seeds[0])}"
        label = f"dual_encoder-{seeds[0]}-{control}"
        shown.append(runs.run("dual_encoder", label, given, f"control={control}"))
    permuted = runs.trained(
        "dual_encoder", seeds[0], "control=labels_permuted", "size=small", label="permuted"
    )
    shown.append(
        runs.run(
            "dual_encoder",
            f"dual_encoder-{seeds[0]}-labels_permuted",
            f"checkpoint={permuted}",
            "control=labels_permuted",
        )
    )
    for folder in [*shown, against]:
        figures = [_value(folder, "R@1", part) for part in ("all", "tag=pixel")]
        figures += [_value(folder, "ahead_of_foil", f"tag={kind}") for kind in KINDS]
        print(f"{folder.name}: " + " ".join(f"{figure:.1f}" for figure in figures))
    print(f"## controls of the localisers: {MOMENT}, %")
    for name in LOCALISERS:
        for control in ("videos_permuted", "frames_shuffled"):
            given = f"checkpoint={runs.trained(name, seeds[0])}"
            label = f"{name}-{seeds[0]}-{control}"
            found = runs.run(name, label, given, f"control={control}", history="reference")
            print(f"{label}: {_value(found, MOMENT, 'all'):.1f}")


def _small(runs: Runs, seeds: list[int]) -> None:
    print("## the small dual encoder minus BM25, R@1 on pixel turns")
    bm25 = runs.run("bm25", "bm25")
    for seed in seeds:
        folder = runs.trained("dual_encoder", seed, "size=small", label="small")
        found = runs.run("dual_encoder", f"small-{seed}", f"checkpoint={folder}", seed=seed)
        print(_against(runs, found, [bm25], "R@1", "tag=pixel"))


def _encoder(runs: Runs, seed: int) -> Path:
    folder = runs.trained("dual_encoder", seed)
    return runs.run("dual_encoder", f"dual_encoder-{seed}", f"checkpoint={folder}", seed=seed)


def _against(runs: Runs, one: Path, others: list[Path], metric: str, part: str) -> str:
    """The paired difference to the best of the others."""
    rows = runs.rows([one, *others], metric, part)
    mine = {
        pair: row for pair, row in rows.items() if pair[0] == one.name and row.value is not None
    }
    best = max(mine, key=lambda pair: mine[pair].second_value or 0)
    return _line(best, mine[best])


def _value(folder: Path, metric: str, part: str) -> float:
    """One figure of scores.json, in %."""
    cell = json.loads((folder / "scores.json").read_text("utf-8"))["metrics"][part][metric]
    return 100 * float(cell["value"])


def _line(pair: tuple[str, str], row: Difference) -> str:
    one, other, difference, low, high = (
        100 * (each or 0)
        for each in (row.first_value, row.second_value, row.value, row.low, row.high)
    )
    return f"{pair[0]} {one:.1f}, {pair[1]} {other:.1f}: {difference:+.1f} [{low:.1f}, {high:.1f}]"


def _member(name: str, checkpoint: Path) -> str:
    """The rows of a member with a trained folder in a configuration file."""
    folder = json.dumps(str(checkpoint.resolve()))
    return f'baseline = "{name}"\nsettings = {{ checkpoint = {folder} }}\n'


def _set(settings: list[str] | tuple[str, ...]) -> list[str]:
    return [part for setting in settings for part in ("--set", setting)]


if __name__ == "__main__":
    main()
