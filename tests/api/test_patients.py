"""Patients: registered once, found by what is typed, corrected, and merged by two people."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from domain.ids import Reference
from domain.resident_numbers import SYSTEM
from domain.roles import Role
from store import records
from tests.api.conftest import Bearer
from tests.desk import Desk, a_key

KIM = {"name": "김하나", "birth_date": "1980-02-14", "gender": "female", "phone": "010-1234-5678"}

Send = Any


@pytest.fixture
def send(client: httpx.AsyncClient, bearer: Bearer) -> Send:
    """One command by a clerk of the admission desk, or by another role or person."""

    async def sent(
        path: str, body: dict[str, Any], *, role: Role = Role.ADMISSION_CLERK, by: str = ""
    ) -> httpx.Response:
        headers = await bearer(role, label=by) | {"Idempotency-Key": a_key()}
        return await client.post(f"/commands/patients{path}", json=body, headers=headers)

    return sent


async def registered(send: Send, **more: Any) -> str:
    answer = await send("", KIM | more)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    return str(answer.json()["patient"])


async def names(send: Send, typed: str, role: Role = Role.ADMISSION_CLERK) -> list[str]:
    answer = await send("/search", {"text": typed}, role=role)
    assert answer.status_code == httpx.codes.OK, answer.text
    return [each["record"]["name"][0]["text"] for each in answer.json()["patients"]]


async def test_each_patient_gets_the_hospitals_next_number(send: Send) -> None:
    first = await send("", KIM)
    second = await send("", KIM | {"name": "박둘째", "birth_date": "1955-05-05", "phone": ""})
    assert [first.json()["number"], second.json()["number"]] == ["00000001", "00000002"]


async def test_a_refused_registration_takes_no_number(send: Send) -> None:
    await send("", KIM)
    assert (await send("", KIM)).status_code == httpx.codes.CONFLICT
    other = await send("", KIM | {"name": "박둘째", "birth_date": "1955-05-05", "phone": ""})
    assert other.json()["number"] == "00000002"


async def test_a_patient_is_found_by_any_of_what_is_known_and_by_nothing_else(send: Send) -> None:
    await registered(send)
    await registered(send, name="이두리", birth_date="1990-07-21", phone="010-9999-0000")
    for typed in (
        *("김하나", "김 하나", "김하", "하나", "ㄱㅎㄴ", "ㄱㅎ", "Kim Hana", "hana kim", "Gim Ha-na", "hana"),
        *("010-1234-5678", "01012345678", "+82 10-1234-5678", "010 1234 5678", "5678", "00000001", "1"),
        *("1980-02-14", "19800214", "800214", "1980.2.14.", "김하나 1980", "김 5678", "ㄱㅎ 800214"),
    ):
        assert await names(send, typed) == ["김하나"], typed
    for typed in ("박하나", "김하나 1981", "ㄱㅂ", "5679", "나하", "kim hano", "19800215"):
        assert await names(send, typed) == [], typed


async def test_a_foreigner_is_found_by_any_part_of_the_name_and_by_its_sound(send: Send) -> None:
    told = {"name": "Nguyen Thi Lan", "kind": "foreigner", "nationality": "VN", "passport": "C1234567", "phone": ""}
    await registered(send, **told)
    for typed in ("nguyen", "lan ngu", "thi lan", "c1234567", "NGUYEN THI LAN"):
        assert await names(send, typed) == ["Nguyen Thi Lan"], typed


async def test_a_search_with_nothing_to_go_by_says_so(send: Send) -> None:
    answer = await send("/search", {"text": " - "})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "text")


MISSPELT = [
    # what stands in the register, what is typed at the desk
    ("김하나", "김한나"),
    ("김하나", "김하니"),
    ("정은경", "정은영"),
    ("최영희", "최영희 "),
    ("김하나", "Kim Hana"),
    ("김하나", "KIM HA NA"),
    ("이영희", "Lee Young-hee"),
    ("이영희", "Rhee Yeonghui"),
    ("박정은", "Park Jung Eun"),
    ("정우성", "Chung Woo Sung"),
    ("남궁민수", "Namgung Minsu"),
    ("Smith John", "Smyth John"),
    ("John Smith", "Smith, John"),
    ("Müller Anna", "Mueller Anna"),
    ("Nguyen Thi Lan", "Nguyễn Thị Lan"),
    ("Alexander Ivanov", "Aleksander Ivanov"),
]


async def test_a_likely_duplicate_is_shown_before_anything_is_written(send: Send) -> None:
    for number, (known, typed) in enumerate(MISSPELT):
        born = {"birth_date": f"{1931 + 5 * number}-{number % 12 + 1:02}-{number + 10}", "phone": ""}
        who = await registered(send, name=known, **born)
        answer = await send("", KIM | born | {"name": typed})
        assert answer.status_code == httpx.codes.CONFLICT, (known, typed)
        assert (answer.json()["code"], answer.json()["params"]) == ("likely-duplicate", {"patients": who})


async def test_somebody_else_is_registered_without_a_question(send: Send) -> None:
    await registered(send)
    for other in (
        {"name": "박서준", "phone": ""},
        {"birth_date": "1951-11-30", "phone": ""},
        {"name": "김두리", "birth_date": "1980-02-15", "gender": "male", "phone": ""},
    ):
        assert (await send("", KIM | other)).status_code == httpx.codes.CREATED, other


async def test_a_duplicate_that_was_looked_at_and_is_somebody_else_does_not_stop_it(send: Send) -> None:
    who = await registered(send)
    assert (await send("", KIM | {"none_of": [who]})).status_code == httpx.codes.CREATED


async def test_one_resident_number_is_one_person_whatever_somebody_says(send: Send, desk: Desk) -> None:
    number = "800214-2000005"
    who = await registered(send, resident_number=number)
    again = await send("", KIM | {"resident_number": number.replace("-", ""), "none_of": [who]})
    assert (again.status_code, again.json()["errors"][0]["field"]) == (422, "resident_number")
    async with desk.state.database.transaction(desk.hospital) as tx:
        kept = (await records.read(tx, Reference(who))).body
        sealed = await tx.all("select body from resource where hospital = %s", [desk.hospital])
    assert {"system": SYSTEM, "value": number}.items() <= kept["identifier"][1].items()
    assert not any(number.encode() in bytes(each["body"]) for each in sealed)


async def test_a_resident_number_finds_its_person_for_those_who_see_numbers(send: Send) -> None:
    who = await registered(send, resident_number="800214-2000005")
    found = await send("/search", {"resident_number": "8002142000005"})
    assert [each["patient"] for each in found.json()["patients"]] == [who]
    refused = await send("/search", {"resident_number": "8002142000005"}, role=Role.PHYSICIAN)
    assert refused.status_code == httpx.codes.FORBIDDEN
    masked = await send("/search", {"text": "김하나"}, role=Role.PHYSICIAN)
    assert "800214-2******" in masked.text
    assert "2000005" not in masked.text


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name"),
    ({"birth_date": ""}, "birth_date"),
    ({"birth_date": "2999-01-01"}, "birth_date"),
    ({"birth_date": "1980-13-01"}, "birth_date"),
    ({"gender": "?"}, "gender"),
    ({"phone": "call me"}, "phone"),
    ({"resident_number": "800214-200000"}, "resident_number"),
    ({"resident_number": "810214-2000005"}, "birth_date"),
    ({"resident_number": "800214-1000005"}, "gender"),
    ({"resident_number": "800214-6000005"}, "resident_number"),
    ({"kind": "foreigner", "passport": "a b"}, "passport"),
    ({"kind": "newborn"}, "mother"),
    ({"mother": "Patient/x"}, "mother"),
    ({"contact": {"name": "", "relationship": "SPS"}}, "name"),
    ({"cover": {"insurance": "unheard-of"}}, "insurance"),
    ({"nobody_knows": 1}, "nobody_knows"),
]


async def test_what_is_wrong_is_said_of_its_field(send: Send) -> None:
    for wrong, field in WRONG:
        answer = await send("", KIM | wrong)
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, answer.text
        assert answer.json()["errors"][0]["field"].rpartition("/")[2] == field


async def test_a_newborn_is_linked_to_its_mother_and_named_after_her_until_it_has_a_name(
    send: Send, desk: Desk
) -> None:
    mother = await registered(send)
    baby = {
        "kind": "newborn",
        "gender": "male",
        "mother": mother,
        "born_at": "2025-03-04T02:10:00+09:00",
        "order_of_birth": 1,
    }
    answer = await send("", baby)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    async with desk.state.database.transaction(desk.hospital) as tx:
        kept = (await records.read(tx, Reference(answer.json()["patient"]))).body
        link = (await records.read(tx, Reference(mother))).body["link"][0]
        kin = (await records.read(tx, Reference(link["other"]["reference"]))).body
    assert (kept["name"][0], kept["birthDate"]) == ({"use": "temp", "text": "김하나 아기"}, "2025-03-04")
    assert (link["type"], kin["patient"]["reference"]) == ("seealso", answer.json()["patient"])
    twin = await send("", baby | {"order_of_birth": 2})
    assert twin.status_code == httpx.codes.CONFLICT
    told = await send("", baby | {"order_of_birth": 2, "none_of": [answer.json()["patient"]]})
    assert told.status_code == httpx.codes.CREATED


async def test_two_whom_nobody_knows_are_two_records(send: Send, desk: Desk) -> None:
    unknown = {"kind": "unknown", "gender": "male", "age": 50}
    first, second = await send("", unknown), await send("", unknown)
    assert (first.status_code, second.status_code) == (201, 201)
    async with desk.state.database.transaction(desk.hospital) as tx:
        kept = (await records.read(tx, Reference(first.json()["patient"]))).body
    assert kept["name"][0]["use"] == "temp"
    assert len(kept["birthDate"]) == 4


async def test_a_correction_keeps_what_was_before_and_replaces_the_coverage(send: Send, desk: Desk) -> None:
    cover = {"insurance": "national-health-insurance", "subscriber": "12345678901"}
    who = await registered(send, resident_number="800214-2000005", cover=cover)
    path = f"/{who.partition('/')[2]}/correct"
    changed = KIM | {"name": "박두리", "version": 1, "cover": {"insurance": "medical-aid-1"}}
    assert (await send(path, changed)).status_code == httpx.codes.OK
    assert (await send(path, changed)).json()["code"] == "stale-revision"
    async with desk.state.database.transaction(desk.hospital) as tx:
        versions = await records.history(tx, Reference(who))
        paid = sorted(
            (each.body["status"], each.body["type"]["coding"][0]["code"]) for each in await records.find(tx, "Coverage")
        )
    assert [each.body["name"][0]["text"] for each in versions] == ["박두리", "김하나"]
    assert versions[0].body["identifier"] == versions[1].body["identifier"]
    assert paid == [("active", "medical-aid-1"), ("cancelled", "national-health-insurance")]
    assert await names(send, "김하나") == []


async def test_two_records_become_one_when_a_second_person_agrees(send: Send, desk: Desk) -> None:
    stays, ends = await registered(send), await registered(send, name="김두리", birth_date="1999-09-09", phone="")
    wanted = {"source": ends, "target": stays, "reason": "registered-twice"}
    records_clerk = {"role": Role.MEDICAL_RECORDS, "by": f"first@{desk.hospital}"}
    asked = await send("/merges", wanted, **records_clerk)
    assert asked.status_code == httpx.codes.CREATED, asked.text
    assert (await send("/merges", wanted)).status_code == httpx.codes.CONFLICT
    path = f"/merges/{asked.json()['id']}/decide"
    assert (await send(path, {"decision": "merge"}, **records_clerk)).status_code == httpx.codes.FORBIDDEN
    assert await names(send, "김두리") == ["김두리"]
    other = {"role": Role.MEDICAL_RECORDS, "by": f"second@{desk.hospital}"}
    assert (await send(path, {"decision": "merge"}, **other)).status_code == httpx.codes.OK
    assert (await send(path, {"decision": "merge"}, **other)).json()["code"] == "already-done"
    assert await names(send, "김두리") == ["김하나"]  # the old name still leads to the person
    gone = await send(f"/{ends.partition('/')[2]}/correct", KIM | {"version": 2})
    assert gone.status_code == httpx.codes.CONFLICT


async def test_a_merge_that_is_refused_changes_nothing_and_may_be_asked_again(send: Send, desk: Desk) -> None:
    stays, ends = await registered(send), await registered(send, name="김두리", birth_date="1999-09-09", phone="")
    wanted = {"source": ends, "target": stays, "reason": "document-seen"}
    asked = await send("/merges", wanted)
    path = f"/merges/{asked.json()['id']}/decide"
    assert (await send(path, {"decision": "refuse"}, role=Role.MEDICAL_RECORDS)).json()["state"] == "refused"
    assert await names(send, "김두리") == ["김두리"]
    assert (await send("/merges", wanted)).status_code == httpx.codes.CREATED


async def test_a_merge_needs_two_patients_of_the_hospital(send: Send) -> None:
    who = await registered(send)
    for change, field in (
        ({"target": "Patient/nobody"}, "target"),
        ({"source": "Location/ward"}, "source"),
        ({}, "target"),
    ):
        answer = await send("/merges", {"source": who, "target": who, "reason": "document-seen"} | change)
        assert (answer.status_code, answer.json()["errors"][0]["field"].lstrip("/")) == (422, field)


async def test_a_nurse_finds_only_patients_of_the_ward(send: Send, desk: Desk) -> None:
    await registered(send)
    assert await names(send, "김하나", Role.NURSE) == []
