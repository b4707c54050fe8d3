"""Options and help of `phis rules export`, `sign`, `import` and `join`: rules that leave and enter an installation."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from domain.errors import Misconfigured

# ruff: noqa: PLC0415  (each command imports what it needs, so that help is there at once)

Folder = Annotated[Path, typer.Argument(help="Folder of rule documents.", file_okay=False)]
Hospital = Annotated[str, typer.Option(help="Code of the hospital, such as hanbit.")]
RunningFolder = Annotated[
    Path | None, typer.Option(help="Folder of a running phis up. [dim]default: .phis[/]", show_default=False)
]


def export(
    folder: Folder,
    hospital: Hospital,
    everything: Annotated[bool, typer.Option("--everything", help="National and network rules, too.")] = False,
    data_dir: RunningFolder = None,
) -> None:
    """Write the hospital's own published rules as files, for git or another house."""
    from runtime.cli import rule_packs

    count = asyncio.run(rule_packs.export(hospital, folder, data_dir, everything=everything))
    typer.echo(f"{_rules(count)} written into {folder}.")


def sign(
    folder: Folder,
    publisher: Annotated[str, typer.Option(help="Who answers for the pack: a code, such as a network's.")],
    key: Annotated[Path, typer.Option(help="Private Ed25519 key, PEM.", exists=True, dir_okay=False)],
) -> None:
    """Check a folder's rules and sign them as a pack: pack.json names each text by its digest."""
    from runtime.cli import rule_packs

    typer.echo(f"{_rules(rule_packs.sign_folder(folder, publisher, key))} signed by {publisher}.")


def import_(
    folder: Folder,
    trust: Annotated[
        Path | None, typer.Option(help="Public Ed25519 key of the pack, PEM.", exists=True, dir_okay=False)
    ] = None,
    hospital: Annotated[str, typer.Option(help="Make drafts of this hospital instead; they go to review.")] = "",
    account: Annotated[str, typer.Option(help="The analyst whose drafts they are.")] = "",
    data_dir: RunningFolder = None,
) -> None:
    """Take a signed pack of the nation or a network; or, with --hospital, a hospital's own files as drafts."""
    from runtime.cli import rule_packs

    if (trust is None) == (not hospital) or (hospital != "") != (account != ""):
        raise Misconfigured("Give --trust for a signed pack, or --hospital and --account for drafts.")
    if trust is not None:
        new = asyncio.run(rule_packs.import_shared(folder, trust, data_dir))
        typer.echo(f"{_rules(new)} taken; those that were kept already stay as they are.")
        return
    made, same = asyncio.run(rule_packs.import_drafts(folder, hospital, account, data_dir))
    typer.echo(f"{made} {'draft' if made == 1 else 'drafts'} made, {_rules(same)} in force as written.")


def join(
    hospital: Hospital,
    network: Annotated[str, typer.Option(help="Code of the network; '' for none.")],
    data_dir: RunningFolder = None,
) -> None:
    """Let a hospital be of a network, whose rules then apply to it."""
    from runtime.cli.database import reachable_settings
    from store.rules import shared

    settings = reachable_settings(data_dir).require("database_migrate_url")
    asyncio.run(shared.join(settings.database_migrate_url.get_secret_value(), hospital, network))
    typer.echo(f"{hospital} is of {network or 'no network'}.")


def _rules(count: int) -> str:
    return f"{count} {'rule' if count == 1 else 'rules'}"


def register(app: typer.Typer) -> None:
    for name, command in (("export", export), ("sign", sign), ("import", import_), ("join", join)):
        app.command(name)(command)
