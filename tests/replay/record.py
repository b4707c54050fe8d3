"""Records the golden histories that are missing: `python -m pytest tests/replay/record.py`.

Do it when a process gained a path that no history shows: add it to `scenarios.py` under a new name. A recorded history
stays as it is until no hospital runs a process that began with the code of its day: that it replays is its purpose.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.temporal import connect
from store.database import Database
from tests.conftest import NAMESPACE, House
from tests.replay.keys import KEYS
from tests.replay.scenarios import SCENARIOS
from tests.workflows.desk import Desk

HISTORIES = Path(__file__).parent / "histories"


@pytest.mark.parametrize("name", [name for name in SCENARIOS if not (HISTORIES / f"{name}.json").exists()])
async def test_record(name: str, house: House, hospital: str, database: Database, task_queue: str) -> None:
    client = await connect(house.temporal, NAMESPACE, KEYS)
    desk = Desk(hospital, database, client, task_queue)
    async with desk.working():
        stay = await SCENARIOS[name](desk)
        recorded = (await stay.fetch_history()).to_json()
    # A history names who worked on it, and that is the machine that recorded.
    (HISTORIES / f"{name}.json").write_text(recorded.replace(client.identity, "recorder") + "\n", "utf-8")
