"""The command line, `phis`. Commands import what they need when they run, so that help is there at once."""

from __future__ import annotations

import sys

from domain.errors import Misconfigured, PhisError


def main() -> None:
    """Entry of `phis`. Exit codes: 0 done, 1 refused or failed, 2 wrongly called or set up, 130 interrupted."""
    from runtime.cli.commands import app  # noqa: PLC0415  (typer is not needed to import this module)

    debug = "--debug" in sys.argv[1:]
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        app(args=arguments, prog_name="phis")
    except PhisError as refused:
        if debug:
            raise
        _say(str(refused))
        sys.exit(2 if isinstance(refused, Misconfigured) else 1)
    except KeyboardInterrupt:
        sys.exit(130)


def _say(sentence: str) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(stderr=True)
    console.print(Text.assemble(("phis: ", "bold red"), sentence), soft_wrap=True)
