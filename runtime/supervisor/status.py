"""What a person sees while it runs: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

from runtime.supervisor.house import Ready
from runtime.supervisor.watch import State, Watched

# Colour repeats what the word says.
_STYLES = {State.READY: "green", State.DOWN: "bold red", State.STARTING: "yellow", State.STOPPING: "yellow"}


class Board:
    """The parts and their states, redrawn when one changes. Does nothing where there is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._parts: Sequence[Watched] = ()
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None

    def show(self, parts: Sequence[Watched]) -> None:
        self._parts = parts
        if self._live:
            self._live.start()
            self.changed()

    def changed(self) -> None:
        if self._live:
            self._live.update(self._table(), refresh=True)

    def close(self) -> None:
        if self._live:
            self._live.stop()

    def _table(self) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for watched in self._parts:
            pid = f"pid {watched.pid}" if watched.pid else ""
            again = f"started again {watched.restarts}x" if watched.restarts else ""
            note = watched.note if watched.state is State.DOWN else ""
            state = f"[{_STYLES.get(watched.state, 'dim')}]{watched.state}[/]"
            table.add_row(watched.part.name, state, pid, again, note)
        return table


def announce(console: Console, ready: Ready, folder: Path) -> None:
    """Where to go and who to be."""
    console.print()
    console.print(f"P-HIS is ready: [bold]{ready.screens}[/]", highlight=False)
    if ready.temporal_screens:
        console.print(f"Temporal:       {ready.temporal_screens}", highlight=False)
    if ready.password:
        console.print(f"Demo accounts:  {', '.join(ready.accounts)}", highlight=False, soft_wrap=True)
        console.print(f"Password:       {ready.password}", highlight=False)
    console.print(f"Data folder:    {folder}", highlight=False, soft_wrap=True)
    console.print("Stop with Ctrl-C.")
    console.print()
