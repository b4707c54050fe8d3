"""Each defence holds, and the check that shows it fails once the defence is taken out: none is there by chance."""

from __future__ import annotations

import pytest

from tests.api.matrix.mutations import MUTATIONS, Mutation, _bare
from tests.api.matrix.world import World
from tests.conftest import Urls

_QUICK = {"api.deps: roles", "store.migrations: row security", "store.care.scope: labels"}
_LISTED = {
    "argvalues": [
        pytest.param(each, id=each.module, marks=[] if each.module in _QUICK else [pytest.mark.long])
        for each in MUTATIONS
    ]
}


def test_at_least_ten_modules_are_tried() -> None:
    assert len({each.module.partition(":")[0] for each in MUTATIONS}) >= 10


@pytest.mark.parametrize("mutation", **_LISTED)
async def test_the_defence_holds_and_its_absence_is_noticed(
    world: World, urls: Urls, mutation: Mutation, monkeypatch: pytest.MonkeyPatch
) -> None:
    await mutation.check(world, urls.superuser)
    mutation.gone(monkeypatch)
    if mutation.database:
        await _bare(urls.superuser, mutation.database)
    with pytest.raises(AssertionError):
        await mutation.check(world, urls.superuser)
