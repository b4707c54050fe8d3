"""Options and help of `phis audit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# ruff: noqa: PLC0415  (each command imports what it needs, so that help is there at once)

app = typer.Typer(help="Check that the audit is what it was, and review a month of it.", no_args_is_help=True)

Hospital = Annotated[str, typer.Option(help="Code of the hospital, such as hanbit.")]
RunningFolder = Annotated[
    Path | None, typer.Option(help="Folder of a running phis up. [dim]default: .phis[/]", show_default=False)
]


@app.command()
def verify(
    hospital: Hospital,
    checkpoints: Annotated[
        Path | None,
        typer.Option(help="The second place. [dim]default: PHIS_AUDIT_CHECKPOINTS[/]", show_default=False),
    ] = None,
    data_dir: RunningFolder = None,
) -> None:
    """Compare every sealed access with its seal, and the seals with the second place.

    Names the first place that is wrong and how many accesses are not sealed yet. The exit code is 1 when anything is
    wrong.
    """
    from runtime.cli import audit

    lines, code = audit.verify(hospital, checkpoints, data_dir)
    for line in lines:
        typer.echo(line)
    raise typer.Exit(code)


@app.command()
def report(
    hospital: Hospital,
    month: Annotated[str, typer.Option(help="Year and month, such as 2026-11.")],
    language: Annotated[str, typer.Option(help="ko or en.")] = "ko",
    output: Annotated[str, typer.Option(help="text, csv or json.")] = "text",
    data_dir: RunningFolder = None,
) -> None:
    """The monthly review: emergency accesses, downloads, many records in a day, nights, refusals, who did what."""
    from api.ui.words import Language
    from domain.errors import Misconfigured
    from runtime.cli import audit

    if output not in set(audit.Form):
        raise Misconfigured(f"--output {output}: write text, csv or json.")
    if language not in set(Language):
        raise Misconfigured(f"--language {language}: write ko or en.")
    typer.echo(audit.report(hospital, month, Language(language), audit.Form(output), data_dir), nl=False)
