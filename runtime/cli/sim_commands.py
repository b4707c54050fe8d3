"""`phis sim`: systems outside of the hospital, for trying and showing."""

from __future__ import annotations

from typing import Annotated

import typer

# ruff: noqa: PLC0415  (each command imports what it needs, so that help is there at once)

app = typer.Typer(help="Systems outside of the hospital, as processes of their own.", no_args_is_help=True)


@app.callback()
def sim() -> None:
    """Simulators speak the real protocols and keep nothing."""


@app.command()
def notify(
    token: Annotated[str, typer.Option(envvar="PHIS_NOTIFY_TOKEN", help="What callers must show.")],
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where it listens, on this machine only.")] = 8020,
    default: Annotated[
        str, typer.Option(help="What becomes of messages: delivered, receipt, silence, wrong-number, late.")
    ] = "receipt",
    number: Annotated[
        list[str] | None, typer.Option(help="Another behaviour for a number: 01000000001=silence; may be repeated.")
    ] = None,
    late: Annotated[float, typer.Option(min=1, help="Seconds until a late message arrives.")] = 400.0,
) -> None:
    """Play the gateway of pagers and SMS, for PHIS_NOTIFY_URL=http://127.0.0.1:8020."""
    import time

    import uvicorn

    from domain.errors import Misconfigured
    from runtime.simulators.notify import Behaviour, PagerGateway

    def behaviour(text: str) -> Behaviour:
        try:
            return Behaviour(text)
        except ValueError:
            raise Misconfigured(f"{text} is no behaviour: {', '.join(Behaviour)}.") from None

    pairs = [each.partition("=") for each in number or []]
    gateway = PagerGateway(
        token,
        time.monotonic,
        default=behaviour(default),
        numbers={said: behaviour(does) for said, _, does in pairs},
        late=late,
    )
    typer.echo(f"listening on http://127.0.0.1:{port}")
    uvicorn.run(gateway.application(), host="127.0.0.1", port=port, log_level="warning")
