"""A hospital changes itself over HTTP: now, from tomorrow, with a second pair of eyes; nothing restarts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from api.commands.setup.keeping import Author, Change, Set
from api.commands.setup.turning import due
from domain.ids import Reference
from domain.roles import Role
from domain.setup.contents import content_of
from domain.setup.kinds import Kind
from store import accounts, beds, records
from store.setup import showing
from tests.api.setup.office import FEE, Office
from tests.desk import a_key


async def ward(office: Office, **more: Any) -> None:
    await office.done("place", "site", {"name_ko": "본원", "name_en": "Main site", "kind": "si"})
    place = {"name_ko": "81병동", "name_en": "Ward 81", "kind": "wa", "part_of": "site"}
    await office.done("place", "ward-81", place | more)
    bed = {"name_ko": "8101-1", "name_en": "8101-1", "kind": "bd", "part_of": "ward-81"}
    await office.done("place", "bed-8101-1", bed)


async def test_a_price_from_tomorrow_is_seen_by_the_first_command_of_tomorrow(office: Office, now: datetime) -> None:
    await office.done("fee", "V", FEE)
    tomorrow = now + timedelta(days=1)
    await office.done("fee", "V", FEE | {"amount": "19000"}, 1, since=tomorrow.isoformat())
    assert await office.amount() == "18000"
    assert await office.amount(at=(tomorrow + timedelta(minutes=1)).isoformat()) == "19000"
    shown = await office.resource("ChargeItemDefinition/fee-V")
    assert shown["propertyGroup"][0]["priceComponent"][0]["amount"]["value"] == 18000
    await office.wait_until(tomorrow + timedelta(minutes=1))
    assert await office.amount() == "19000"
    await office.done("fee", "W", FEE)  # any command of the set-up turns what is due
    shown = await office.resource("ChargeItemDefinition/fee-V")
    assert shown["propertyGroup"][0]["priceComponent"][0]["amount"]["value"] == 19000


async def test_servers_turn_what_is_due_when_nobody_gives_a_command(office: Office, now: datetime) -> None:
    await ward(office)
    renamed = {"name_ko": "소아병동", "name_en": "Children's ward", "kind": "wa", "part_of": "site"}
    later = now + timedelta(hours=2)
    await office.done("place", "ward-81", renamed, 1, since=later.isoformat())
    database, hospital = office.desk.state.database, office.desk.hospital
    async with database.system() as system:
        assert (await showing.next_turns(system))[hospital] == later
    assert hospital not in await due(office.desk.state)
    async with database.transaction(hospital) as tx:
        assert await showing.turn(tx, later - timedelta(seconds=1)) == []
        assert await showing.turn(tx, later) == [Reference("Location/ward-81")]
        assert await showing.turn(tx, later) == []
    assert (await office.resource("Location/ward-81"))["name"] == "소아병동"
    async with database.system() as system:
        assert hospital not in await showing.next_turns(system)


async def test_what_everybody_sees_of_a_change_is_who_when_and_why(office: Office) -> None:
    await office.done("fee", "V", FEE)
    await office.done("fee", "V", FEE | {"amount": "17000"}, 1)
    entry = await office.get("/entries/fee/V")
    assert entry["last"] == 2
    assert [(one["version"], one["content"]["amount"]) for one in entry["versions"]] == [(2, "17000"), (1, "18000")]
    latest = entry["versions"][0]
    assert latest["recorded_by"] == f"administrator@{office.desk.hospital}"
    assert latest["reason"] == "because it is so"
    assert latest["recorded_at"]
    database, hospital = office.desk.state.database, office.desk.hospital
    async with database.transaction(hospital) as tx:
        rows = await tx.all("select action, detail from audit_event where hospital = %s order by id", [hospital])
    assert ("update", "setup/fee/V") in {(row["action"], row["detail"]) for row in rows}


async def test_two_administrators_do_not_overwrite_each_other(office: Office) -> None:
    await office.done("fee", "V", FEE)
    await office.done("fee", "V", FEE | {"amount": "17000"}, 1)
    answer = await office.put("fee", "V", FEE | {"amount": "16000"}, 1)
    assert answer.status_code == 409
    assert answer.json()["code"] == "stale-revision"
    assert await office.amount() == "17000"


async def test_the_same_key_changes_an_entry_once(office: Office) -> None:
    body, key = {"content": FEE, "last": 0, "reason": "because"}, a_key()
    first = await office.post("/entries/fee/V", body, key=key)
    again = await office.post("/entries/fee/V", body, key=key)
    assert first.json() == again.json()
    assert (await office.get("/entries/fee/V"))["last"] == 1


async def test_the_past_changes_only_when_somebody_says_so(office: Office, now: datetime) -> None:
    past = (now - timedelta(days=40)).isoformat()
    answer = await office.put("fee", "V", FEE, since=past)
    assert answer.status_code == 422
    await office.done("fee", "V", FEE, since=past, back_dated=True)
    assert await office.amount(at=(now - timedelta(days=39)).isoformat()) == "18000"


async def test_a_day_begins_at_midnight_in_korea(office: Office) -> None:
    made = await office.done("fee", "V", FEE, since="2099-01-01")
    assert datetime.fromisoformat(made["since"]) == datetime.fromisoformat("2098-12-31T15:00:00Z")


async def test_an_entry_ends_and_stays_readable(office: Office) -> None:
    await office.done("fee", "V", FEE)
    answer = await office.post("/entries/fee/V/end", {"last": 1, "reason": "not notified any more"})
    assert answer.status_code == 200, answer.text
    assert await office.amount() is None
    assert (await office.get("/entries/fee/V"))["applies"] is None
    assert (await office.resource("ChargeItemDefinition/fee-V"))["status"] == "retired"
    again = await office.post("/entries/fee/V/end", {"last": 2, "reason": "once more"})
    assert again.status_code == 422


async def test_what_an_entry_needs_is_there_at_its_instant(office: Office, now: datetime) -> None:
    test = {
        "name_ko": "칼륨",
        "name_en": "Potassium",
        "section": "chemistry",
        "specimen": "serum",
        "kind": "quantity",
        "unit": "mmol/L",
        "decimals": 1,
        "routine_minutes": 240,
    }
    refused = await office.put("laboratory", "K", test)
    assert refused.status_code == 422
    specimen = {"name_ko": "혈청", "name_en": "Serum", "type": "SER", "volume_ml": 5}
    later = (now + timedelta(days=2)).isoformat()
    await office.done("specimen", "serum", specimen, since=later)
    assert (await office.put("laboratory", "K", test)).status_code == 422
    await office.done("laboratory", "K", test, since=later)


async def test_a_bed_that_closes_is_closed_and_one_that_opens_keeps_what_was_said_of_it(office: Office) -> None:
    await ward(office)
    bed = {"name_ko": "8101-1", "name_en": "8101-1", "kind": "bd", "part_of": "ward-81"}
    await office.done("place", "bed-8101-1", bed | {"status": "suspended"}, 1)
    shown = await office.resource("Location/bed-8101-1")
    assert (shown["status"], shown["operationalStatus"]["code"]) == ("suspended", "C")
    await office.done("place", "bed-8101-1", bed, 2)
    database, hospital, now = office.desk.state.database, office.desk.hospital, office.desk.state.now()
    async with database.transaction(hospital) as tx:
        kept = await records.read(tx, Reference("Location/bed-8101-1"))
        assert kept.body["operationalStatus"]["code"] == "U"
        dirty = kept.body | {"operationalStatus": kept.body["operationalStatus"] | {"code": "K"}}
        await records.update(tx, dirty, if_match=kept.version, now=now)
    await office.done("place", "bed-8101-1", bed | {"name_ko": "창가"}, 3)
    shown = await office.resource("Location/bed-8101-1")
    assert (shown["name"], shown["operationalStatus"]["code"]) == ("창가", "K")


async def test_no_bed_and_no_ward_closes_under_a_patient(office: Office, now: datetime) -> None:
    await ward(office)
    async with office.desk.state.database.transaction(office.desk.hospital) as tx:
        await beds.occupy(tx, Reference("Location/bed-8101-1"), Reference("Encounter/e1"), now)
    place = {"name_ko": "81병동", "name_en": "Ward 81", "kind": "wa", "part_of": "site", "status": "suspended"}
    refused = await office.put("place", "ward-81", place, 1)
    assert refused.status_code == 409
    assert refused.json()["params"]["bed"] == "Location/bed-8101-1"
    planned = await office.put("place", "ward-81", place, 1, since=(now + timedelta(days=7)).isoformat())
    assert planned.status_code == 201
    codes = {gap["code"] for gap in (await office.get("/gaps"))["gaps"]}
    assert "no-administrator" in codes


async def test_an_admission_is_refused_with_the_page_that_mends_what_it_lacks(office: Office) -> None:
    await ward(office)
    body = {
        "patient": {"register": {"name": "김시험", "birth_date": "1970-01-01", "gender": "female"}},
        "ward": "Location/ward-81",
    }

    async def asked() -> dict[str, Any]:
        headers = await office.bearer(Role.ADMISSION_CLERK) | {"Idempotency-Key": a_key()}
        answer = await office.client.post("/commands/admissions", headers=headers, json=body)
        return {"status": answer.status_code, **answer.json()}

    refused = await asked()
    assert (refused["status"], refused["code"]) == (409, "not-set-up")
    assert (refused["params"]["gap"], refused["params"]["page"]) == ("no-bed-manager", "/setup/people")
    assert "병상을 배정할 사람이 없습니다." in refused["detail"] or "Nobody can assign beds." in refused["detail"]
    async with office.desk.state.database.transaction(office.desk.hospital) as tx:
        for role in (Role.BED_MANAGER, Role.NURSE):
            await accounts.create_account(
                tx, name=f"{role}@x", display_ko="가", display_en="A", roles=[role], password_hash=""
            )
    bed = {"name_ko": "8101-1", "name_en": "8101-1", "kind": "bd", "part_of": "ward-81"}
    await office.done("place", "bed-8101-1", bed | {"status": "suspended"}, 1)
    refused = await asked()
    assert (refused["params"]["gap"], refused["params"]["entries"]) == ("ward-without-bed", "ward-81")
    await office.done("place", "bed-8101-1", bed, 2)
    assert (await asked())["status"] in {201, 202}


async def test_a_place_is_part_of_what_can_hold_it_and_never_of_itself(office: Office) -> None:
    await ward(office)
    room = {"name_ko": "방", "name_en": "Room", "kind": "ro", "part_of": "bed-8101-1"}
    assert (await office.put("place", "room-1", room)).status_code == 422
    area = {"name_ko": "구역", "name_en": "Area", "kind": "area", "part_of": "site"}
    await office.done("place", "a", area)
    await office.done("place", "b", area | {"part_of": "a"})
    looped = await office.put("place", "a", area | {"part_of": "b"}, 1)
    assert looped.status_code == 422
    assert "part of itself" in looped.text


async def test_where_asked_for_a_second_pair_of_eyes_lets_a_change_apply(office: Office) -> None:
    await office.done("fee", "V", FEE)
    answer = await office.post("/four-eyes", {"kinds": ["fee"]})
    assert answer.status_code == 200, answer.text
    proposed = await office.done("fee", "V", FEE | {"amount": "99000"}, 1)
    assert proposed["state"] == "proposed"
    assert await office.amount() == "18000"
    assert [each["code"] for each in (await office.get("/waiting"))["waiting"]] == ["V"]
    path = "/entries/fee/V/versions/2/approve"
    assert (await office.post(path)).status_code == 403
    assert (await office.post(path, role=Role.NURSE)).status_code == 403
    approved = await office.post(path, role=Role.RULE_APPROVER)
    assert approved.status_code == 200, approved.text
    assert await office.amount() == "99000"
    assert (await office.post(path, role=Role.RULE_APPROVER)).status_code == 409
    shown = await office.resource("ChargeItemDefinition/fee-V")
    assert shown["propertyGroup"][0]["priceComponent"][0]["amount"]["value"] == 99000


async def test_what_has_not_begun_can_be_withdrawn(office: Office, now: datetime) -> None:
    await office.done("fee", "V", FEE)
    tomorrow = (now + timedelta(days=1)).isoformat()
    await office.done("fee", "V", FEE | {"amount": "1"}, 1, since=tomorrow)
    body = {"reason": "a slip of the pen"}
    assert (await office.post("/entries/fee/V/versions/1/withdraw", body)).status_code == 409
    assert (await office.post("/entries/fee/V/versions/2/withdraw", body)).status_code == 200
    assert (await office.post("/entries/fee/V/versions/9/withdraw", body)).status_code == 404
    assert await office.amount(at=(now + timedelta(days=2)).isoformat()) == "18000"
    async with office.desk.state.database.system() as system:
        assert office.desk.hospital not in await showing.next_turns(system)


async def test_only_administrators_change_the_set_up_and_everybody_reads_it(office: Office) -> None:
    body = {"content": FEE, "last": 0, "reason": "because"}
    assert (await office.post("/entries/fee/V", body, Role.PHYSICIAN)).status_code == 403
    assert (await office.post("/four-eyes", {"kinds": []}, Role.RULE_APPROVER)).status_code == 403
    overview = await office.get("")
    assert {table["kind"] for table in overview["tables"]} == set(Kind)


async def test_what_set_up_shows_is_not_changed_over_fhir(office: Office) -> None:
    await ward(office)
    headers = await office.bearer(Role.ADMINISTRATOR) | {"Content-Type": "application/fhir+json"}
    base = f"/fhir/{office.desk.hospital}/Location/ward-81"
    body = (await office.client.get(base, headers=headers)).json()
    renamed = await office.client.put(base, headers=headers, json=body | {"name": "다른 병동"})
    assert renamed.status_code == 409
    assert "POST /commands/setup/entries" in renamed.text
    assert (await office.client.delete(base, headers=headers)).status_code == 409
    noted = await office.client.put(base, headers=headers, json=body | {"description": "창가 쪽이 춥다"})
    assert noted.status_code == 200, noted.text


async def test_diagnosis_codes_are_asked_for_by_day(office: Office) -> None:
    code = {"name_ko": "상세불명의 치핵", "name_en": "Haemorrhoids, unspecified"}
    await office.done("diagnosis", "K64.9", code, since="2021-01-01", until="2026-01-01", back_dated=True)
    assert (await office.get("/entries/diagnosis", at="2025-12-31T00:00:00Z"))["entries"]
    assert not (await office.get("/entries/diagnosis", at="2026-01-02T00:00:00Z"))["entries"]
    system = await office.resource("CodeSystem/kcd")
    assert system["concept"][0]["code"] == "K64.9"
    assert {each["code"]: each["valueDateTime"] for each in system["concept"][0]["property"]} == {
        "effectiveDate": "2021-01-01",
        "retirementDate": "2026-01-01",
    }


async def test_two_hospitals_have_nothing_of_each_other(office: Office, other_hospital: str, now: datetime) -> None:
    await office.done("fee", "V", FEE)
    await office.done("fee", "V", FEE | {"amount": "1"}, 1, since=(now + timedelta(days=1)).isoformat())
    await office.post("/four-eyes", {"kinds": ["place"]})
    headers = await office.bearer(Role.ADMINISTRATOR, hospital=other_hospital)
    listed = await office.client.get("/commands/setup/entries/fee", headers=headers)
    assert listed.json()["entries"] == []
    assert (await office.client.get("/commands/setup/entries/fee/V", headers=headers)).status_code == 404
    assert (await office.client.get("/commands/setup/four-eyes", headers=headers)).json() == {"kinds": []}
    async with office.desk.state.database.transaction(other_hospital) as tx:
        assert await showing.turn(tx, now + timedelta(days=9)) == []
        setup = await Set.taken(tx, now)
        own = Change(Kind.FEE, "V", content_of(Kind.FEE, FEE | {"amount": "5"}), now)
        assert (await setup.keep([own], Author("test", "")))[0].version == 1
    assert await office.amount() == "18000"
