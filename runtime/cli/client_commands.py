"""`phis client`: programs that get tokens with keys of their own (SMART Backend Services)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# ruff: noqa: PLC0415  (each command imports what it needs, so that help is there at once)

app = typer.Typer(
    help="Programs that get tokens with keys of their own (SMART Backend Services).",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Hospital = Annotated[str, typer.Option(help="Code of the hospital, such as hanbit.")]
Name = Annotated[str, typer.Argument(help="The client, with or without the hospital's code before it.")]
Keys = Annotated[Path | None, typer.Option(help="File with the client's public keys, a JWK set.")]
KeysUrl = Annotated[str, typer.Option(help="Where the client publishes them; its host is in PHIS_OUTGOING_HOSTS.")]
Folder = Annotated[
    Path | None, typer.Option(help="Folder of a running phis up. [dim]default: .phis[/]", show_default=False)
]


@app.command()
def register(  # noqa: PLR0917  (typer passes options by name)
    name: Name,
    hospital: Hospital,
    scope: Annotated[list[str], typer.Option(help="SMART scope like system/Observation.rs; may be repeated.")],
    keys: Keys = None,
    keys_url: KeysUrl = "",
    lasts: Annotated[str, typer.Option(help="How long a token is good: 5m at first, 1h at most.")] = "5m",
    display: Annotated[str, typer.Option(help="What the program is, for people.")] = "",
    data_dir: Folder = None,
) -> None:
    """Register a program and print its client id, the last line. Only public keys are taken."""
    from runtime.cli import programs

    programs.register(programs.NewClient(hospital, name, tuple(scope), keys, keys_url, lasts, display), data_dir)


@app.command("list")
def list_(hospital: Hospital, data_dir: Folder = None) -> None:
    """Show the programs of a hospital: scopes, keys, whether they are closed."""
    from runtime.cli import programs

    programs.show(hospital, data_dir)


@app.command()
def rotate(name: Name, hospital: Hospital, keys: Keys = None, keys_url: KeysUrl = "", data_dir: Folder = None) -> None:
    """Replace a program's keys. Tokens that it has end."""
    from runtime.cli import programs

    programs.rotate(hospital, name, keys, keys_url, data_dir)


@app.command()
def disable(name: Name, hospital: Hospital, data_dir: Folder = None) -> None:
    """Close a program. Tokens that it has end."""
    from runtime.cli import programs

    programs.disable(hospital, name, data_dir, disabled=True)


@app.command()
def enable(name: Name, hospital: Hospital, data_dir: Folder = None) -> None:
    """Open a program again."""
    from runtime.cli import programs

    programs.disable(hospital, name, data_dir, disabled=False)
