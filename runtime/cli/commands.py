"""Every command of `phis`: its options, its help, and the one function that does the work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from domain.roles import Role
from runtime.cli import (
    account_commands,
    audit_commands,
    client_commands,
    hospital_commands,
    key_commands,
    manifest_commands,
    pack_commands,
    rule_commands,
    sim_commands,
)
from runtime.demo.level import Demo

# ruff: noqa: PLC0415  (each command imports what it needs, so that help is there at once)

app = typer.Typer(
    help=(
        "P-HIS, a hospital operations engine.\n\n"
        "Start with [bold]phis up[/]: it brings everything. [bold]phis doctor[/] tells what is wrong and how to mend "
        "it. Add [bold]--debug[/] to any command to see where an error came from."
    ),
    rich_markup_mode="rich",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ONE_MACHINE = "On one machine"
PRODUCTION = "Parts of an installation"
CARE = "Care and repair"


DataFolder = Annotated[
    Path | None, typer.Option(help="Folder for database, keys and logs. [dim]default: .phis[/]", show_default=False)
]
RunningFolder = Annotated[
    Path | None, typer.Option(help="Folder of a running phis up. [dim]default: .phis[/]", show_default=False)
]
ServerPort = Annotated[
    int | None,
    typer.Option(min=1, max=65535, help="Port of the screens. [dim]default: 8000[/]", show_default=False),
]
TemporalPort = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=64535,
        help="Port of Temporal; its own screens are 1000 above. [dim]default: 7233[/]",
        show_default=False,
    ),
]


@app.command(rich_help_panel=ONE_MACHINE)
def up(
    data_dir: DataFolder = None,
    port: ServerPort = None,
    temporal_port: TemporalPort = None,
    demo: Annotated[
        Demo, typer.Option(help="Demo hospitals: none, small (set up), full (with work to do).")
    ] = Demo.SMALL,
    ephemeral: Annotated[
        bool, typer.Option("--ephemeral", help="Throw-away folder, free ports; nothing is left at the end.")
    ] = False,
) -> None:
    """Start a whole P-HIS: PostgreSQL, Temporal, server and worker. Ctrl-C drains and stops it.

    PHIS_DATABASE_URL and PHIS_TEMPORAL_ADDRESS name servers of yours instead. Logs stand in the data folder while you
    look at a terminal, and go to standard error otherwise.
    """
    from domain.errors import Misconfigured
    from runtime.settings import load_settings
    from runtime.supervisor.plan import Wish
    from runtime.supervisor.run import up as run

    if ephemeral and data_dir:
        raise Misconfigured("--ephemeral uses a folder of its own: leave --data-dir out.")
    run(Wish(data_dir, port, temporal_port, demo, ephemeral), load_settings())


@app.command(rich_help_panel=PRODUCTION)
def server() -> None:
    """Serve screens, commands and FHIR. Needs a migrated database, Temporal and keys (see .env.example)."""
    from runtime import logs
    from runtime.server import main
    from runtime.settings import load_settings

    settings = load_settings().require("database_url", "database_system_url", "temporal_address", "keys")
    logs.configure("server", style=settings.log_format, level=settings.log_level)
    main(settings)


@app.command(rich_help_panel=PRODUCTION)
def worker() -> None:
    """Run processes and their effects. Start as many as there is work for."""
    from runtime import logs
    from runtime.settings import load_settings
    from runtime.worker import main

    settings = load_settings().require("database_url", "database_system_url", "temporal_address", "keys")
    logs.configure("worker", style=settings.log_format, level=settings.log_level)
    main(settings)


@app.command(rich_help_panel=PRODUCTION)
def migrate(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail if there is something to do.")] = False,
) -> None:
    """Bring the database to the schema of this release, as role phis_migrate. Safe while servers run."""
    from runtime.cli import database
    from runtime.settings import load_settings

    database.migrate(load_settings(), check=check)


@app.command(rich_help_panel=CARE)
def token(  # noqa: PLR0917  (typer passes options by name)
    hospital: Annotated[str, typer.Option(help="Code of the hospital, such as hanbit.")],
    role: Annotated[list[Role] | None, typer.Option(help="What the client may be; may be repeated.")] = None,
    scope: Annotated[list[str] | None, typer.Option(help="SMART scope like system/*.cruds; may be repeated.")] = None,
    expires: Annotated[str, typer.Option(help="How long it is good: 30m, 8h, 7d.")] = "8h",
    label: Annotated[str, typer.Option(help="The client's name in the audit.")] = "command-line",
    data_dir: RunningFolder = None,
) -> None:
    """Issue an access token for a client and print it as the last line. It is kept nowhere."""
    from runtime.cli import database

    database.token(database.TokenWish(hospital, role or [], scope or [], expires, label), data_dir)


@app.command(rich_help_panel=CARE)
def load(
    files: Annotated[list[Path], typer.Argument(help="NDJSON files, resources, Bundles, and folders of them.")],
    hospital: Annotated[str, typer.Option(help="Code of the hospital, such as hanbit.")],
    data_dir: RunningFolder = None,
) -> None:
    """Load FHIR resources from files into a hospital's records. Starts no process.

    A transaction Bundle is kept whole or not at all; what is refused is told with its file and place, and the rest
    goes on. The exit code is 1 when anything was refused.
    """
    from runtime.cli import database

    raise typer.Exit(database.load(hospital, files, data_dir))


app.add_typer(hospital_commands.app, name="hospital", rich_help_panel=CARE)
app.add_typer(account_commands.app, name="account", rich_help_panel=CARE)
app.add_typer(client_commands.app, name="client", rich_help_panel=CARE)
app.add_typer(audit_commands.app, name="audit", rich_help_panel=CARE)
app.add_typer(key_commands.app, name="keys", rich_help_panel=CARE)
app.add_typer(manifest_commands.app, name="manifest", rich_help_panel=CARE)
app.add_typer(pack_commands.app, name="pack", rich_help_panel=CARE)
app.add_typer(rule_commands.app, name="rules", rich_help_panel=CARE)
app.add_typer(sim_commands.app, name="sim", rich_help_panel=CARE)


@app.command(rich_help_panel=CARE)
def export(
    folder: Annotated[Path, typer.Argument(help="An empty folder, or one to be made.")],
    hospital: Annotated[str, typer.Option(help="Code of the hospital, such as hanbit.")],
    type: Annotated[list[str] | None, typer.Option(help="Resource type; may be repeated.")] = None,  # noqa: A002
    since: Annotated[str | None, typer.Option(help="Only what changed after this instant.")] = None,
    data_dir: RunningFolder = None,
) -> None:
    """Write a hospital's records into NDJSON files, as of this moment, for phis load or another system.

    The files are not encrypted; only you may read them. A manifest tells the instant to give as --since next time.
    """
    from runtime.cli import database

    database.export(hospital, folder, type or [], since, data_dir)


@app.command(rich_help_panel=CARE)
def reindex(
    hospital: Annotated[
        str | None, typer.Option(help="Code of a hospital. [dim]default: all of them[/]", show_default=False)
    ] = None,
    data_dir: RunningFolder = None,
) -> None:
    """Make search rows and relations of care anew from the records, after a release that reads more from them.

    Searches go on meanwhile and see what is there.
    """
    from runtime.cli import database

    database.reindex(hospital, data_dir)


@app.command(rich_help_panel=CARE)
def reconcile(
    data_dir: RunningFolder = None,
) -> None:
    """Resume every open process that Temporal has lost or left behind, from its row in the database."""
    from runtime.cli import database

    database.reconcile(data_dir)


@app.command(rich_help_panel=CARE)
def doctor(
    data_dir: DataFolder = None,
) -> None:
    """Check this installation; for everything that is wrong, say how to mend it."""
    from runtime.doctor import examine

    raise typer.Exit(examine(data_dir))


@app.command(rich_help_panel=CARE)
def version() -> None:
    """Print the versions of P-HIS and of what it rests on."""
    from runtime.cli.version import lines

    for line in lines():
        typer.echo(line)
