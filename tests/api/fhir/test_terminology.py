"""Whose terminology is asked: scopes, hospitals, versions, parts of code systems."""

from __future__ import annotations

import httpx

from domain.roles import Role
from tests.api.fhir.conftest import Connect, issue_of
from tests.api.fhir.shop import FRUIT, FRUIT_SYSTEM, FRUITS, codes, composed, read


async def test_a_hospitals_terminology_is_read_with_scopes_on_it(shop: httpx.AsyncClient, connect: Connect) -> None:
    outsider = await connect("system/Patient.rs")
    for path in (f"CodeSystem/$lookup?system={FRUIT}&code=lemon", f"ValueSet/$expand?url={FRUITS}"):
        assert (await outsider.get(path)).status_code == 403
    sets_only = await connect("system/ValueSet.r")
    answer = await sets_only.get(f"ValueSet/$expand?url={FRUITS}")
    assert (answer.status_code, issue_of(answer)["code"]) == (404, "not-found")  # its code system is out of sight
    assert codes(await sets_only.get("ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/link-type"))


async def test_other_hospitals_terminology_is_not_there(
    shop: httpx.AsyncClient, connect: Connect, other_hospital: str
) -> None:
    assert shop
    stranger = await connect(hospital=other_hospital)
    assert (await stranger.get(f"CodeSystem/$lookup?system={FRUIT}&code=lemon")).status_code == 404


async def test_a_new_version_is_answered_at_once_and_a_deleted_one_no_more(shop: httpx.AsyncClient) -> None:
    url = f"CodeSystem/$lookup?system={FRUIT}&code=apple"
    assert read(await shop.get(url))["display"] == ["Apple"]
    changed = {**FRUIT_SYSTEM, "version": "3", "concept": [{"code": "apple", "display": "Apfel"}]}
    await shop.put("CodeSystem/fruit", json=changed)
    assert read(await shop.get(url))["display"] == ["Apfel"]
    older = {**FRUIT_SYSTEM, "id": "older", "version": "2.5", "concept": [{"code": "apple", "display": "old apple"}]}
    await shop.put("CodeSystem/older", json=older)
    assert read(await shop.get(url))["display"] == ["Apfel"]
    assert read(await shop.get(f"{url}&version=2.5"))["display"] == ["old apple"]
    assert (await shop.get(f"{url}&version=2")).status_code == 200  # 2.5 is of the version 2
    for id_ in ("fruit", "older"):
        await shop.delete(f"CodeSystem/{id_}")
    assert (await shop.get(url)).status_code == 404


async def test_a_fragment_says_that_it_is_one(fhir: httpx.AsyncClient) -> None:
    part = {**FRUIT_SYSTEM, "content": "fragment"}
    await fhir.put("CodeSystem/fruit", json=part)
    told = read(await fhir.get(f"CodeSystem/$validate-code?url={FRUIT}&code=pear"))
    assert (told["result"], "in part only" in told["message"][0]) == ([False], True)
    sent = composed({"system": FRUIT})
    expansion = (await fhir.post("ValueSet/$expand", json=sent)).json()["expansion"]
    assert {"name": "warning-fragment", "valueUri": f"{FRUIT}|2"} in expansion["parameter"]


async def test_a_code_system_that_is_only_announced_has_nothing_to_tell(fhir: httpx.AsyncClient) -> None:
    await fhir.put("CodeSystem/fruit", json={**FRUIT_SYSTEM, "content": "not-present", "concept": []})
    sent = composed({"system": FRUIT})
    assert (await fhir.post("ValueSet/$expand", json=sent)).status_code == 404


async def test_a_nurse_reads_the_hospitals_terms(shop: httpx.AsyncClient, connect: Connect) -> None:
    assert shop
    nurse = await connect("", Role.NURSE)
    assert codes(await nurse.get(f"ValueSet/$expand?url={FRUITS}")) == ["citrus", "lemon"]
    assert codes(await nurse.get("ValueSet/fruits/$expand")) == ["citrus", "lemon"]
    found = await nurse.get("Observation", params={"code:in": "ValueSet/fruits"})
    assert found.status_code == 200
