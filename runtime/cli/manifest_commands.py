"""`phis manifest`: sign what is installed, and compare it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# ruff: noqa: PLC0415  (each command imports what it needs, so that help is there at once)

app = typer.Typer(help="Sign what is installed, and find what was changed since.", no_args_is_help=True)


@app.command()
def key(
    file: Annotated[Path, typer.Argument(help="Where to write the private key; keep it away from servers.")],
) -> None:
    """Make a key for signing. Prints the public half, for PHIS_MANIFEST_KEY."""
    import base64
    import os

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from domain.errors import Misconfigured

    made = Ed25519PrivateKey.generate()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as refused:
        raise Misconfigured(f"{file} cannot be made ({refused.strerror}).") from None
    with os.fdopen(descriptor, "w") as private:
        private.write(base64.b64encode(made.private_bytes_raw()).decode() + "\n")
    typer.echo(base64.b64encode(made.public_key().public_bytes_raw()).decode())


@app.command()
def sign(
    key: Annotated[Path, typer.Option(help="The private key's file.")],
    by: Annotated[str, typer.Option(help="Who signs: a name that is shown.")],
    also: Annotated[list[Path] | None, typer.Option(help="A file of the configuration; may be repeated.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="[dim]default: beside the packages[/]", show_default=False)
    ] = None,
) -> None:
    """Write the signed manifest of what is installed here, after a look that it is what it should be."""
    from datetime import UTC, datetime

    from runtime.manifest import NAME, private_of, root, signed
    from runtime.settings import load_settings

    target = output or load_settings().manifest or root() / NAME
    text = signed(root(), also or [], private_of(key), at=datetime.now(UTC), by=by)
    target.write_text(text, encoding="utf-8")
    typer.echo(f"{target} is signed.")


@app.command()
def verify() -> None:
    """Compare now. The exit code is 1 when a file is not as it was signed, 2 when nothing is signed."""
    from datetime import UTC, datetime

    from domain.manifest import Files
    from runtime.manifest import NAME, root, verified
    from runtime.settings import load_settings

    settings = load_settings()
    found = verified(root(), settings.manifest or root() / NAME, settings.manifest_key, now=datetime.now(UTC))
    for line in found.changed:
        typer.echo(line)
    match found.files:
        case Files.INTACT:
            typer.echo(f"All files are as {found.signed_by} signed them, {found.signed_at}.")
        case Files.UNSIGNED:
            typer.echo("Nothing is signed: changes would not be noticed.")
            raise typer.Exit(2)
        case _:
            typer.echo("NOT as signed.")
            raise typer.Exit(1)
