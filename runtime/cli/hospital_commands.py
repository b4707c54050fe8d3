"""Options and help of `phis hospital`: hospitals made, listed, checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from adapters.packs.sizes import Size
from domain.roles import Role

# ruff: noqa: PLC0415  (each command imports what it needs, so that help is there at once)

app = typer.Typer(
    help="Hospitals of this installation: make one from a pack, list them, check what one lacks.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Folder = Annotated[
    Path | None, typer.Option(help="Folder of a running phis up. [dim]default: .phis[/]", show_default=False)
]


@app.command()
def create(  # noqa: PLR0917  (typer passes options by name)
    code: Annotated[str, typer.Argument(help="Leads addresses and ids, such as hanbit; it never changes.")],
    pack: Annotated[Size, typer.Option(help="What the hospital begins with.")],
    name_ko: Annotated[str, typer.Option(help="Its name in Korean.")],
    name_en: Annotated[str, typer.Option(help="Its name in English.")],
    administrator: Annotated[str, typer.Option(help="Account of the first administrator.")] = "administrator",
    role: Annotated[
        list[Role] | None, typer.Option(help="What the first administrator is besides; may be repeated.")
    ] = None,
    hospital_type: Annotated[
        Literal["tertiary", "general", "hospital", "clinic"] | None,
        typer.Option("--type", help="Its type. [dim]default: that of the pack[/]", show_default=False),
    ] = None,
    agency_number: Annotated[str, typer.Option(help="요양기관기호, eight digits.")] = "",
    places: Annotated[
        Path | None,
        typer.Option(help="A table of its own places instead of the pack's.", exists=True, dir_okay=False),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Folder of another publisher's pack.", exists=True, file_okay=False)
    ] = None,
    trust: Annotated[
        Path | None, typer.Option(help="Public key of that publisher, PEM.", exists=True, dir_okay=False)
    ] = None,
    data_dir: Folder = None,
) -> None:
    """Make a hospital from a pack; print a link, the last line, with which its administrator chooses a password."""
    from runtime.cli import hospitals

    wanted = hospitals.Wish(
        code, pack, name_ko, name_en, hospital_type, agency_number, administrator, tuple(role or ()), places
    )
    hospitals.create(wanted, folder, trust, data_dir)


@app.command("list")
def list_(data_dir: Folder = None) -> None:
    """Show every hospital: type, pack, beds, accounts, and how much still stops it."""
    from runtime.cli import hospitals

    hospitals.show(data_dir)


@app.command()
def check(
    code: Annotated[str, typer.Argument(help="Code of the hospital, such as hanbit.")],
    language: Annotated[Literal["en", "ko"], typer.Option(help="Language of the sentences.")] = "en",
    json: Annotated[bool, typer.Option("--json", help="One JSON object a gap.")] = False,
    data_dir: Folder = None,
) -> None:
    """Name what each process of a hospital still lacks, with the page that mends it. Exit code 1 if something stops."""
    from runtime.cli import hospitals

    raise typer.Exit(hospitals.check(code, language, data_dir, as_json=json))
