"""Every control of identity holds, and the check that shows it fails once the control is switched off."""

from __future__ import annotations

import pytest

from tests.api.identity.controls import CONTROLS, Control
from tests.api.identity.world import World

_BY_NAME = {"argvalues": CONTROLS, "ids": [control.name for control in CONTROLS]}


@pytest.mark.parametrize("control", **_BY_NAME)
async def test_the_control_holds(world: World, control: Control) -> None:
    await control.check(world)


@pytest.mark.parametrize("control", **_BY_NAME)
async def test_switched_off_the_same_check_fails(
    world: World, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    control.off(monkeypatch)
    with pytest.raises(AssertionError):
        await control.check(world)
