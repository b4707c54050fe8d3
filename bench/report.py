"""How a benchmark shows its figures: one table, one JSON file with machine and date."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """One measured value. `goal` is the most it may be, None where none is set; ratio = value / goal."""

    name: str
    value: float
    unit: str
    goal: float | None = None

    @property
    def ratio(self) -> float | None:
        return None if self.goal is None else self.value / self.goal


def show(title: str, figures: list[Figure]) -> None:
    """Print the figures and write them to `bench/results/<title>.json`."""
    table = Table(title=title)
    for column in ("figure", "measured", "goal", "ratio"):
        table.add_column(column, justify="left" if column == "figure" else "right")
    for figure in figures:
        goal = "" if figure.goal is None else f"≤ {figure.goal:g} {figure.unit}"
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        table.add_row(figure.name, f"{figure.value:.3g} {figure.unit}", goal, ratio)
    Console(width=110).print(table)
    RESULTS.mkdir(exist_ok=True)
    record = {
        "title": title,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()},
        "figures": [asdict(figure) | {"ratio": figure.ratio} for figure in figures],
    }
    (RESULTS / f"{title}.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie, nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
