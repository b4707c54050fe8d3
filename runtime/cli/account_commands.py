"""`phis account`: people's accounts, from the first administrator on. Nobody is ever given a password."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from domain.roles import Role

# ruff: noqa: PLC0415  (each command imports what it needs, so that help is there at once)

app = typer.Typer(
    help="People's accounts: make, close, open again, reset. A link that works once lets a person choose the password.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Hospital = Annotated[str, typer.Option(help="Code of the hospital, such as hanbit.")]
Name = Annotated[str, typer.Argument(help="The account, with or without @hospital.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit.")]
Folder = Annotated[
    Path | None, typer.Option(help="Folder of a running phis up. [dim]default: .phis[/]", show_default=False)
]


@app.command()
def create(  # noqa: PLR0917  (typer passes options by name)
    hospital: Hospital,
    role: Annotated[list[Role], typer.Option(help="What the person is; may be repeated.")],
    name: Annotated[str, typer.Option(help="Name of the account. [dim]default: the first role[/]")] = "",
    display: Annotated[str, typer.Option(help="The person's name, as colleagues read it.")] = "",
    external: Annotated[str, typer.Option(help="How the hospital's own sign-on knows the person.")] = "",
    data_dir: Folder = None,
) -> None:
    """Make an account and print a link, the last line, with which its person chooses a password within a day."""
    from runtime.cli import people

    people.create(people.NewAccount(hospital, name, tuple(role), display, external), data_dir)


@app.command("list")
def list_(hospital: Hospital, data_dir: Folder = None) -> None:
    """Show the accounts of a hospital: roles, second factor, closed or held up."""
    from runtime.cli import people

    people.show(hospital, data_dir)


@app.command()
def disable(name: Name, hospital: Hospital, reason: Reason, data_dir: Folder = None) -> None:
    """Close an account. Its sessions end with the next request."""
    from runtime.cli import people

    people.disable(hospital, name, reason, data_dir, disabled=True)


@app.command()
def enable(name: Name, hospital: Hospital, reason: Reason, data_dir: Folder = None) -> None:
    """Open an account again."""
    from runtime.cli import people

    people.disable(hospital, name, reason, data_dir, disabled=False)


@app.command()
def reset(
    name: Name,
    hospital: Hospital,
    reason: Reason,
    second_factor: Annotated[
        bool, typer.Option("--second-factor", help="Take the second factor away, too: the telephone is lost.")
    ] = False,
    data_dir: Folder = None,
) -> None:
    """End an account's sessions and pauses, and print a fresh link, the last line, to choose a password with."""
    from runtime.cli import people

    people.reset(hospital, name, reason, data_dir, second_factor=second_factor)


@app.command()
def roles(
    name: Name,
    hospital: Hospital,
    reason: Reason,
    role: Annotated[list[Role], typer.Option(help="What the person is from now on; may be repeated.")],
    data_dir: Folder = None,
) -> None:
    """Replace an account's roles. Its sessions end with the next request."""
    from runtime.cli import people

    people.change_roles(hospital, name, reason, role, data_dir)


@app.command()
def external(
    name: Name,
    hospital: Hospital,
    reason: Reason,
    external_name: Annotated[str, typer.Option("--name", help="How the sign-on knows the person; empty: not at all.")],
    data_dir: Folder = None,
) -> None:
    """Say how the hospital's own sign-on knows the person of an account."""
    from runtime.cli import people

    people.name_external(hospital, name, reason, external_name, data_dir)
