"""ivcr completion: the script that makes a shell complete commands and options."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_IVCR_COMPLETE"  # what the script sets when it asks `ivcr` for words


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script that completes `ivcr` in SHELL.

    \b
    bash:  eval "$(ivcr completion bash)"            in ~/.bashrc
    zsh:   eval "$(ivcr completion zsh)"             in ~/.zshrc
    fish:  ivcr completion fish > ~/.config/fish/completions/ivcr.fish
    """
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    classes = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
    root = click.get_current_context().find_root().command
    click.echo(classes[shell](root, {}, "ivcr", VARIABLE).source())
