"""Options and help of `phis keys`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# ruff: noqa: PLC0415  (each command imports what it needs, so that help is there at once)

app = typer.Typer(help="Keys: a fresh ring, and the data keys of hospitals.", invoke_without_command=True)

Hospital = Annotated[
    str | None, typer.Option(help="Code of a hospital. [dim]default: all of them[/]", show_default=False)
]
OneHospital = Annotated[str, typer.Option(help="Code of the hospital, such as hanbit.")]
RunningFolder = Annotated[
    Path | None, typer.Option(help="Folder of a running phis up. [dim]default: .phis[/]", show_default=False)
]


@app.callback()
def keys(context: typer.Context) -> None:
    """Without a command: print a fresh key ring for PHIS_KEYS. To change the master key, add its entry to yours."""
    from store.sealing import KeyRing

    if context.invoked_subcommand is None:
        typer.echo(KeyRing.generate().text)


@app.command()
def rotate(hospital: Hospital = None, data_dir: RunningFolder = None) -> None:
    """Make new data keys. Running servers use them after 90 seconds and seal everything anew in the background."""
    from runtime.cli import keys as does

    _say(does.rotate(hospital, data_dir))


@app.command()
def status(hospital: Hospital = None, data_dir: RunningFolder = None) -> None:
    """How many rows each key has sealed, place by place, and which keys the ring lacks."""
    from runtime.cli import keys as does

    _say(does.status(hospital, data_dir))


@app.command()
def reseal(hospital: Hospital = None, data_dir: RunningFolder = None) -> None:
    """Seal anew here and now, from the beginning, what servers do in the background."""
    from runtime.cli import keys as does

    _say(does.reseal(hospital, data_dir))


@app.command()
def rewrap(data_dir: RunningFolder = None) -> None:
    """Wrap all data keys by the first key of the ring, after the master key has changed."""
    from runtime.cli import keys as does

    _say(does.rewrap(data_dir))


@app.command()
def retire(key_id: Annotated[str, typer.Argument()], hospital: OneHospital, data_dir: RunningFolder = None) -> None:
    """Destroy a data key of a hospital for ever. Refused while anything is sealed with it."""
    from runtime.cli import keys as does

    _say(does.retire(hospital, key_id, data_dir))


def _say(lines: list[str]) -> None:
    for line in lines:
        typer.echo(line)
