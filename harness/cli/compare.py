"""ivcr compare and ivcr items."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("submissions", type=click.Path(path_type=Path), metavar="SUB SUB...", nargs=-1)
@click.option("--benchmark", required=True, type=click.Path(path_type=Path), help="The benchmark.")
@click.option("--split", default="test", show_default=True, help="The split to compare on.")
@click.option(
    "--dialogues",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="How many dialogues to show for each pair: those on which it differs most.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "latex"]),
    default="text",
    show_default=True,
    help="For people, for programs (with the dialogues), or tables for a paper (without).",
)
@click.option(
    "--slice",
    "further",
    multiple=True,
    metavar="NAME",
    help="Compare on this slice too, as scores.json names it, such as tag=pixel; repeatable.",
)
@click.option(
    "--small", is_flag=True, help="Show turn numbers of fewer than 30 turns too, which say little."
)
def compare(
    submissions: tuple[Path, ...], benchmark: Path, split: str, dialogues: int, form: str,
    further: tuple[str, ...], small: bool,
) -> None:  # fmt: skip
    """Compare submissions, each with each: paired differences, propagation, dialogues.

    Headline metrics overall and by turn number: effect size and interval first, p (Holm over the
    pairs) last. Propagation is shown for a run with own and a run with reference history if the
    card of one names the folder of the other as `pair`.
    """
    from harness.benchmark import Benchmark
    from harness.cli.submission import print_result
    from harness.comparison import compare as run_comparison
    from harness.comparison.latex import latex_lines
    from harness.comparison.terminal import text_lines
    from harness.files import readable

    found = run_comparison(
        submissions, Benchmark(benchmark), split, dialogues=dialogues, further=further, small=small
    )
    if form == "json":
        print_result(readable(found).decode("utf-8"))
    else:
        lines = text_lines(found) if form == "text" else latex_lines(found)
        print_result("".join(f"{line}\n" for line in lines))


@click.command()
@click.argument("submissions", type=click.Path(path_type=Path), metavar="SUB...", nargs=-1)
@click.option("--benchmark", required=True, type=click.Path(path_type=Path), help="The benchmark.")
@click.option("--split", default="test", show_default=True, help="The split to analyse.")
@click.option(
    "--most",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="How many turns of each list to print; JSON holds them all.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people or for programs.",
)
def items(submissions: tuple[Path, ...], benchmark: Path, split: str, most: int, form: str) -> None:
    """List turns to check: right for no system, or right for weak and wrong for strong ones.

    Each turn is shown with the reasons to suspect its label. Public labels only.
    """
    from harness.benchmark import Benchmark
    from harness.cli.submission import print_result
    from harness.files import readable
    from harness.items import analyse
    from harness.items.terminal import text_lines

    found = analyse(submissions, Benchmark(benchmark), split)
    if form == "json":
        print_result(readable(found).decode("utf-8"))
    else:
        print_result("".join(f"{line}\n" for line in text_lines(found, most)))
