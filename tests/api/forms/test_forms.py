"""Whatever is put into a form, the answer is no fault, and every refusal is a sentence beside a field or naming it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from time import perf_counter

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from domain.roles import Role
from rules.access import roles_for
from tests.api.forms.filling import Form, Found, Said, encoded, filled, forms, spoilt
from tests.api.matrix.pairs import seed
from tests.api.matrix.routes import _address, policies
from tests.api.matrix.world import World

SHORT, LONG = 4, 150
"""Times that each form is filled in."""

ANOTHER_KEY = "This key was already used for something else"
"""Said of the page as a whole: nobody types the key."""


def role_for(form: Found) -> Role:
    """Somebody who may send the form; nobody in particular for what is public."""
    action = policies().get(("POST", form.path))
    if action is None:
        return Role.NURSE
    may = roles_for(action)
    return next((role for role in (Role.BED_MANAGER, Role.PHYSICIAN) if role in may), min(may))


async def send(world: World, form: Found, body: Form) -> httpx.Response:
    role = role_for(form)
    session = await world.session(role)
    if form.path.startswith("/account"):
        world.forget(role)
    headers = {
        "Accept": "text/html", "Accept-Language": "en", "Cookie": f"phis={session.cookie}",
        "X-CSRF-Token": session.csrf, "Content-Type": "application/x-www-form-urlencoded",
    }  # fmt: skip
    return await world.client.post(_address(("POST", form.path), world.own), content=encoded(body), headers=headers)


def wrong(answer: httpx.Response) -> str:
    """What is wrong with the answer to a form; empty when nothing is."""
    if answer.status_code >= 500:
        return "a fault"
    if ANOTHER_KEY in answer.text:
        return ""
    if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY and not Said(answer.text).beside_a_field:
        return "refused without a word about a field"
    if answer.status_code >= 400 and "<h1" not in answer.text:
        return "refused without a page"
    return ""


async def _fill(world: World, chosen: list[Found], times: int) -> list[str]:
    number, begun, loop = seed(), perf_counter(), asyncio.get_running_loop()
    seen: Counter[int] = Counter()
    told: list[str] = []

    def of(form: Found) -> Callable[[], None]:
        @seeded(number)
        @settings(
            max_examples=times, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(body=spoilt(filled(form, world.own, world.desk.state.now()), sorted(form.fields)))
        def sent(body: Form) -> None:
            answer = asyncio.run_coroutine_threadsafe(send(world, form, body), loop).result(60)
            seen[answer.status_code] += 1
            if found := wrong(answer):
                shown = answer.text.partition("<main")[2][:1500]
                told.append(f"{form.path} {body!r:.400}: {found}, {answer.status_code}: {shown}")

        return sent

    for form in chosen:
        await asyncio.to_thread(of(form))
    took, statuses = perf_counter() - begun, {int(status): count for status, count in sorted(seen.items())}
    print(f"seed {number}: {len(chosen)} forms, {seen.total()} times in {took:.0f} s, {statuses}")  # noqa: T201
    return told


def test_every_form_of_the_screens_is_found() -> None:
    found = {form.path for form in forms()}
    assert found == {
        path for method, path in policies() if method == "POST" and not path.startswith(("/commands", "/auth"))
    }
    assert len(found) > 20


async def test_forms_filled_in_badly_say_what_is_wrong(world: World) -> None:
    told = await _fill(world, forms(), SHORT)
    assert not told, "\n\n".join(told[:10])


@pytest.mark.long
async def test_forms_filled_in_badly_again_and_again_say_what_is_wrong(world: World) -> None:
    told = await _fill(world, forms(), LONG)
    assert not told, "\n\n".join(told[:10])
