"""Options and help of `phis pack`: what new hospitals begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# ruff: noqa: PLC0415  (each command imports what it needs, so that help is there at once)

app = typer.Typer(
    help="Packs that new hospitals begin with: verify one, sign one.", no_args_is_help=True, rich_markup_mode="rich"
)


@app.command()
def verify(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of a pack. [dim]default: the installed one[/]", show_default=False)
    ] = None,
    trust: Annotated[
        Path | None, typer.Option(help="Public Ed25519 key of its publisher, PEM.", exists=True, dir_okay=False)
    ] = None,
) -> None:
    """Check signature and every row of a pack, and count what it holds. A folder of another's needs --trust."""
    from runtime.cli import packs

    for line in packs.verify(folder, trust):
        typer.echo(line)


@app.command()
def sign(
    folder: Annotated[Path, typer.Argument(help="Folder of tables.", exists=True, file_okay=False)],
    version: Annotated[str, typer.Option("--pack-version", help="Such as 2026.12.1.")],
    key: Annotated[Path, typer.Option(help="Private Ed25519 key, PEM.", exists=True, dir_okay=False)],
    name: Annotated[str, typer.Option(help="What the pack is called.")] = "phis-korea",
    publisher: Annotated[str, typer.Option(help="Who answers for it.")] = "phis",
) -> None:
    """Check every row of a folder's tables and sign them: pack.json names each by its digest."""
    from runtime.cli import packs

    typer.echo(packs.sign(folder, version, key, name=name, publisher=publisher))
