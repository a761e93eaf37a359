"""ivcr audit."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("result", type=click.Path(path_type=Path), metavar="RESULT")
@click.option("--benchmark", required=True, type=click.Path(path_type=Path), help="The benchmark.")
@click.option("--split", default="test", show_default=True, help="The split that was answered.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    show_default=True,
    help="For people, for programs, or a page to cite.",
)
@click.option("--out", type=click.Path(path_type=Path), help="A file instead of standard output.")
def audit(result: Path, benchmark: Path, split: str, form: str, out: Path | None) -> None:
    """Explain the official figures of an official RESULT file.

    Shows official and sound figures side by side. For each known defect of the published scorer it
    counts the turns that the defect makes right or wrong, with examples. The effects of the defects
    add up to the whole difference.
    """
    from harness.audit import audit as run_audit
    from harness.audit import document
    from harness.audit.html_page import page
    from harness.audit.text_report import text_lines
    from harness.benchmark import Benchmark
    from harness.cli.options import warn_of_hidden_labels
    from harness.files import readable, require_apart, write

    where = Benchmark(benchmark)
    if out is not None:
        require_apart([out], [result, *where.files(split)])
    found = run_audit(result, where, split)
    warn_of_hidden_labels(where)
    if form == "json":
        data = readable(document(found))
    elif form == "html":
        data = page(found)
    else:
        data = ("\n".join(text_lines(found)) + "\n").encode()
    if out is None:
        click.echo(data, nl=False)
    else:
        write(out, data)
        click.echo(f"audit: {out}", err=True)
