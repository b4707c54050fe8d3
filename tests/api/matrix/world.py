"""Two hospitals with a mark in every text, people of every role in the first, and what both have to lose."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI

from adapters.fhir import locations
from domain.ids import Reference
from domain.roles import Role
from domain.worklist import Priority, TaskKind, TaskSpec
from store import accounts, records, worklist
from store.care import delegations, glass, standing
from tests.desk import Desk, a_key

Json = dict[str, Any]

ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
VIP = {"security": [{"system": ACT, "code": "CEL"}]}
HERE, AWAY, STAR, SPARE = "here", "away", "star", "spare"
"""A patient on everybody's ward, one elsewhere, one with a label and no purpose stated, one to be written to."""


@dataclass(frozen=True)
class Targets:
    """What addresses and bodies may name in one hospital; `mark` stands in every text of what is there."""

    mark: str
    hospital: str
    encounter: str
    task: str
    ward: str
    bed: str
    use: UUID
    delegation: UUID
    key: str

    def id(self, kind: str, which: str = HERE) -> str:
        return f"{self.mark.lower()}-{kind.lower()}-{which}"

    @property
    def patient(self) -> str:
        return self.id("Patient")


@dataclass(frozen=True)
class Pass:
    """A session that was never used, and the token that its forms carry."""

    cookie: str
    csrf: str


@dataclass
class World:
    app: FastAPI
    desk: Desk
    own: Targets
    other: Targets
    never: Targets
    client: httpx.AsyncClient
    tokens: dict[Role, str] = field(default_factory=dict)
    _passes: dict[Role, list[Pass]] = field(default_factory=dict)

    async def session(self, role: Role) -> Pass:
        """A fresh one: what a route ends, no other case misses. They are made by the dozen."""
        ready = self._passes.setdefault(role, [])
        if not ready:
            ready += await passes(self.desk, role, 40)
        return ready.pop()

    def forget(self, role: Role) -> None:
        """A route may have ended the person's other sessions."""
        self._passes.pop(role, None)


def name_of(role: Role, hospital: str) -> str:
    return f"{role.value}@{hospital}"


async def passes(desk: Desk, role: Role, count: int) -> list[Pass]:
    now = desk.state.now()
    async with desk.state.database.transaction(desk.hospital) as tx:
        made = [await accounts.start_session(tx, name_of(role, desk.hospital), now, proved=True) for _ in range(count)]
        rows = await tx.all(
            "select secret_hash, csrf from session where hospital = %s and secret_hash = any(%s)",
            [tx.hospital, [accounts.secret_hash(each) for each in made]],
        )
    forms = {bytes(row["secret_hash"]): row["csrf"] for row in rows}
    return [Pass(each, forms[accounts.secret_hash(each)]) for each in made]


async def build(app: FastAPI, desk: Desk, other: str, client: httpx.AsyncClient, password_hash: str) -> World:
    """Everything twice, told apart by its marks; whatever belongs to `never` was never made."""
    own = await _hospital(app, desk, "OWNMARK", password_hash)
    beds = Desk(desk.state, other, desk.ward, desk.beds)
    strangers = await _hospital(app, beds, "FARMARK", password_hash)
    encounter, task, ward, bed = (str(uuid4()) for _ in range(4))
    nobody = Targets(
        "NILMARK",
        f"t{uuid4().hex[:12]}",
        encounter,
        task,
        f"Location/{ward}",
        f"Location/{bed}",
        uuid4(),
        uuid4(),
        a_key(),
    )
    world = World(app, desk, own, strangers, nobody, client)
    # The whole matrix takes more than an hour on a busy machine.
    until = desk.state.now() + timedelta(days=1)
    async with desk.state.database.transaction(desk.hospital) as tx:
        for role in Role:
            world.tokens[role] = await accounts.issue_token(tx, name_of(role, desk.hospital), [role], "", until)
    return world


async def _hospital(app: FastAPI, desk: Desk, mark: str, password_hash: str) -> Targets:
    now = desk.state.now()
    async with desk.state.database.transaction(desk.hospital) as tx:
        ward = (await records.create(tx, locations.ward(f"{mark} ward", alias=f"{mark} alias"), now=now)).reference
        bed = (await records.create(tx, locations.bed(f"{mark} bed", ward), now=now)).reference
        for role in Role:
            await accounts.create_account(
                tx,
                name=name_of(role, desk.hospital),
                display_ko=f"{mark} {role.value}",
                display_en=f"{mark} {role.value}",
                roles=[role],
                password_hash=password_hash,
            )
            await standing.place(tx, name_of(role, desk.hospital), places=[ward])
        await accounts.create_account(
            tx, name=f"leaver@{desk.hospital}", display_ko=f"{mark} leaver", display_en=f"{mark} leaver",
            roles=[Role.TRANSPORTER], password_hash="",
        )  # fmt: skip
    await _records(app, desk, mark, ward, bed)
    encounter = (await Desk(desk.state, desk.hospital, ward, [bed]).request(a_key(), name=f"{mark} stay")).answer
    use, key = uuid4(), a_key()
    task = Reference.to("Task", str(uuid4()))
    async with desk.state.database.transaction(desk.hospital) as tx:
        patient = Reference.to("Patient", f"{mark.lower()}-patient-here")
        await glass.break_glass(
            tx, use, actor=name_of(Role.PHARMACIST, desk.hospital), patient=patient, reason="other",
            words=f"{mark} words of an emergency", now=now,
        )  # fmt: skip
        given = await delegations.give(
            tx, uuid4(), giver=name_of(Role.CASHIER, desk.hospital), taker=name_of(Role.CODER, desk.hospital),
            roles=[Role.CASHIER], since=now, until=now + timedelta(days=1),
        )  # fmt: skip
        spec = TaskSpec(
            ref=task, kind=TaskKind.ASSIGN_BED, focus=Reference(encounter["request"]), patient=patient, ward=ward,
            candidates=(Role.BED_MANAGER,), priority=Priority.ROUTINE, due_at=now + timedelta(hours=1),
        )  # fmt: skip
        workflow_id = f"{desk.hospital}/admission/{encounter['encounter']}"
        await worklist.open_task(tx, spec, workflow_id=workflow_id, now=now)
    return Targets(mark, desk.hospital, encounter["encounter"][10:], task.id, ward, bed, use, given.id, key)


async def _records(app: FastAPI, desk: Desk, mark: str, ward: str, bed: str) -> None:
    now = desk.state.now()
    async with desk.state.database.transaction(desk.hospital) as tx:
        token = await accounts.issue_token(tx, "seed", [], "system/*.cruds", now + timedelta(hours=1))
    entries = [
        {"request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}, "resource": each}
        for which in (HERE, AWAY, STAR, SPARE)
        for each in _of_patient(mark, which, ward, bed)
    ]
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as seeding:
        answer = await seeding.post(
            f"/fhir/{desk.hospital}",
            json={"resourceType": "Bundle", "type": "transaction", "entry": entries},
            headers={"Authorization": f"Bearer {token}"},
        )
    assert answer.status_code == 200, answer.text


def _of_patient(mark: str, which: str, ward: str, bed: str) -> list[Json]:
    said = f"{mark}-{which.upper()}"

    def made(kind: str, **more: Any) -> Json:
        return {"resourceType": kind, "id": f"{mark.lower()}-{kind.lower()}-{which}"} | more

    patient = f"Patient/{mark.lower()}-patient-{which}"
    about = {"subject": {"reference": patient}}
    code = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}], "text": said}
    note = [{"text": said}]
    where = {"location": [{"location": {"reference": bed}}]} if which != AWAY else {}
    whole = VIP if which == STAR else {}
    return [
        made(
            "Patient", name=[{"family": said, "given": [said]}], gender="female", birthDate="1960-01-01",
            identifier=[{"system": "urn:example:mrn", "value": said}], address=[{"text": said}],
            telecom=[{"system": "phone", "value": said}], **({"meta": whole} if whole else {}),
        ),
        made("Encounter", status="in-progress", **{"class": {"system": ACT, "code": "IMP"}},
             reasonCode=[{"text": said}], **about, **where),
        made("Observation", status="final", code=code, note=note, valueString=said, **about),
        made("Condition", code={"text": said}, note=note, **about),
        made("AllergyIntolerance", code={"text": said}, patient={"reference": patient},
             clinicalStatus={"coding": [{"system": CLINICAL, "code": "active"}]}),
        made("ServiceRequest", status="active", intent="order", code={"text": said}, note=note, **about),
        made("MedicationRequest", status="active", intent="order", medicationCodeableConcept={"text": said}, **about),
        made("Coverage", status="active", beneficiary={"reference": patient}, payor=[{"display": said}]),
        made("Appointment", status="proposed", description=said,
             participant=[{"actor": {"reference": patient}, "status": "accepted"}]),
        made("Task", status="requested", intent="order", description=said, **{"for": {"reference": patient}}),
        made("Device", patient={"reference": patient}, deviceName=[{"name": said, "type": "user-friendly-name"}]),
        made("Group", type="person", actual=True, name=said, member=[{"entity": {"reference": patient}}]),
    ]  # fmt: skip


KINDS = tuple(dict.fromkeys(each["resourceType"] for each in _of_patient("x", HERE, "", "")))
"""Types of which something is kept."""

_CHANGING = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?|[0-9a-f]{12,64}|[A-Za-z0-9_-]{22,}"
    r"|20\d\d[-.]\d\d[-.]\d\d|\d{1,2}:\d\d|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"
)
_HEADERS_THAT_CHANGE = frozenset({"date", "content-length"})


def normal(answer: httpx.Response, targets: Targets) -> tuple[int, list[tuple[str, str]], str]:
    """An answer without ids, times and random values: what is left must tell nobody whether something exists."""

    def bare(text: str) -> str:
        for known in (targets.encounter, targets.task, targets.ward, targets.bed, targets.hospital):
            text = text.replace(known, "#")
        text = text.replace(str(targets.use), "#").replace(str(targets.delegation), "#").replace(targets.key, "#")
        return _CHANGING.sub("#", text.replace(targets.mark.lower(), "mark"))

    headers = [(name, bare(value)) for name, value in answer.headers.items() if name not in _HEADERS_THAT_CHANGE]
    return answer.status_code, sorted(headers), bare(answer.text)
