"""What a hospital's set-up lacks, each with its process, a sentence and the page that mends it.

Pure: looks at what applies at one instant. A gap that stops its process is one without which the process would fail in
the middle; the others hinder somebody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar, cast

from domain.roles import Role
from domain.setup import sentences
from domain.setup.catalogue import Imaging, Laboratory
from domain.setup.kinds import Content, Kind
from domain.setup.places import HOSPITAL, Department, Hospital, HospitalType, Place, PlaceKind, PlaceStatus
from domain.setup.sheets import Document, Form, OrderSet
from domain.setup.supplies import Fee, Medicine

_C = TypeVar("_C", bound=Content)

INPATIENT = frozenset({HospitalType.TERTIARY, HospitalType.GENERAL, HospitalType.HOSPITAL})
_ACTIVE = "active"


@dataclass(frozen=True)
class Gap:
    """`code` is public and stable. `entries`: codes of what is concerned, some at most; `count`: of how many."""

    code: str
    entries: tuple[str, ...] = ()
    count: int = 1

    @property
    def process(self) -> str:
        return sentences.GAPS[self.code].process

    @property
    def stops(self) -> bool:
        """Whether the process must not start."""
        return sentences.GAPS[self.code].stops

    @property
    def page(self) -> str:
        return sentences.GAPS[self.code].page

    def sentence(self, language: str) -> str:
        told = sentences.GAPS[self.code]
        text = told.ko if language == "ko" else told.en
        return text.format(entries=", ".join(self.entries), count=self.count)


@dataclass(frozen=True)
class Standing:
    """What is there at one instant. people: the roles of each account that can sign in."""

    contents: Mapping[Kind, Mapping[str, Content]]
    people: Mapping[str, frozenset[Role]]
    four_eyes: frozenset[Kind] = frozenset()
    occupied: frozenset[str] = field(default_factory=frozenset)

    def all_of(self, kind: Kind, _model: type[_C]) -> Mapping[str, _C]:
        return cast("Mapping[str, _C]", self.contents.get(kind, {}))

    def has(self, kind: Kind, code: str) -> bool:
        return code in self.contents.get(kind, {})

    @property
    def hospital(self) -> Hospital | None:
        return self.all_of(Kind.HOSPITAL, Hospital).get(HOSPITAL)

    @property
    def takes_inpatients(self) -> bool:
        """By its type; or because it has wards after all."""
        here = self.hospital
        wards = any(place.kind is PlaceKind.WARD for place in self.places.values())
        return wards or (here is not None and here.type in INPATIENT)

    @property
    def places(self) -> Mapping[str, Place]:
        return self.all_of(Kind.PLACE, Place)

    def holds(self, role: Role) -> bool:
        return any(role in roles for roles in self.people.values())


def gaps(standing: Standing) -> list[Gap]:
    """Everything that is lacking, what stops a process first."""
    found = [gap for look in _LOOKS for gap in look(standing)]
    return sorted(found, key=lambda gap: (not gap.stops, gap.process, gap.code))


def stopping_admission(standing: Standing, ward: str) -> list[Gap]:
    """What stops an admission to one ward: another ward without a bed does not."""
    found = [gap for look in (_places, _people) for gap in look(standing) if gap.process == "admission" and gap.stops]
    beds = [
        code
        for code, place in standing.places.items()
        if place.kind is PlaceKind.BED
        and place.status is PlaceStatus.ACTIVE
        and _ward_of(code, standing.places) == ward
    ]
    others = [gap for gap in found if gap.code != "ward-without-bed"]
    return others if beds else [Gap("ward-without-bed", (ward,)), *others]


def _several(code: str, entries: Iterable[str]) -> Iterator[Gap]:
    listed = sorted(entries)
    if listed:
        yield Gap(code, tuple(listed[:5]), len(listed))


def _if(lacking: bool, code: str) -> Iterator[Gap]:
    if lacking:
        yield Gap(code)


def _itself(of: Standing) -> Iterator[Gap]:
    here = of.hospital
    yield from _if(here is None, "hospital-not-described")
    yield from _if(here is not None and not here.agency_number, "no-agency-number")
    departments = {code: each for code, each in of.all_of(Kind.DEPARTMENT, Department).items() if each.active}
    yield from _if(not departments, "no-department")
    yield from _several(
        "department-without-agency-code", (code for code, each in departments.items() if not each.agency_code)
    )


def _places(of: Standing) -> Iterator[Gap]:
    active = {code: each for code, each in of.places.items() if each.status is PlaceStatus.ACTIVE}
    wards = {code: each for code, each in active.items() if each.kind is PlaceKind.WARD}
    beds = {code: each for code, each in active.items() if each.kind is PlaceKind.BED}
    served = {code: _ward_of(code, of.places) for code in beds}
    yield from _if(of.takes_inpatients and not wards, "no-ward")
    yield from _several("ward-without-bed", wards.keys() - set(served.values()))
    yield from _several("bed-outside-ward", (code for code, ward in served.items() if not ward))
    yield from _several("bed-in-closed-ward", (code for code, ward in served.items() if ward and ward not in wards))
    yield from _several("ward-without-department", (code for code, each in wards.items() if not each.department))
    yield from _several(
        "place-of-ended-department",
        (code for code, each in active.items() if each.department and not of.has(Kind.DEPARTMENT, each.department)),
    )
    yield from _several(
        "place-without-whole", (code for code, each in active.items() if each.part_of and each.part_of not in of.places)
    )
    yield from _if(not any(each.kind is PlaceKind.ROOM for each in active.values()), "no-room")
    yield from _several("patient-in-closed-bed", of.occupied - beds.keys())


def _ward_of(code: str, places: Mapping[str, Place]) -> str:
    """The ward that a bed stands in, whatever its state; empty without one."""
    seen: set[str] = set()
    at = places[code].part_of
    while at in places and at not in seen:
        if places[at].kind is PlaceKind.WARD:
            return at
        seen.add(at)
        at = places[at].part_of
    return ""


def _orderables(of: Standing) -> Iterator[Gap]:
    tests = {code: each for code, each in of.all_of(Kind.LABORATORY, Laboratory).items() if each.status == _ACTIVE}
    yield from _several(
        "test-without-specimen", (code for code, each in tests.items() if not of.has(Kind.SPECIMEN, each.specimen))
    )
    images = of.all_of(Kind.IMAGING, Imaging)
    medicines = of.all_of(Kind.MEDICINE, Medicine)
    priced = {Kind.LABORATORY: tests, Kind.IMAGING: images, Kind.MEDICINE: medicines}
    yield from _several(
        "orderable-without-price",
        (
            f"{kind}/{code}"
            for kind, entries in priced.items()
            for code, each in entries.items()
            if (fee := getattr(each, "fee", "")) and not of.has(Kind.FEE, fee)
        ),
    )
    yield from _several(
        "high-alert-without-limit",
        (code for code, each in medicines.items() if each.high_alert and not (each.max_single or each.max_daily)),
    )
    yield from _several(
        "order-set-broken",
        (
            code
            for code, each in of.all_of(Kind.ORDER_SET, OrderSet).items()
            if any(not _orderable(of, need.kind, need.code) for need in each.needs())
        ),
    )
    yield from _if(not medicines, "no-medicine")
    yield from _if(not of.contents.get(Kind.DIAGNOSIS), "no-diagnosis")


def _orderable(of: Standing, kind: Kind, code: str) -> bool:
    found = of.contents.get(kind, {}).get(code)
    return found is not None and getattr(found, "status", _ACTIVE) == _ACTIVE


def _money(of: Standing) -> Iterator[Gap]:
    categories = {each.category for each in of.all_of(Kind.FEE, Fee).values()}
    yield from _if("01" not in categories, "no-consultation-fee")
    yield from _if(of.takes_inpatients and "02" not in categories, "no-ward-fee")


def _papers(of: Standing) -> Iterator[Gap]:
    forms = {each.use for each in of.all_of(Kind.FORM, Form).values()}
    documents = {each.use for each in of.all_of(Kind.DOCUMENT, Document).values()}
    yield from _if("visit" not in forms, "no-intake-form")
    yield from _if(of.takes_inpatients and "admission" not in forms, "no-nursing-form")
    yield from _if(of.takes_inpatients and "wristband" not in documents, "no-wristband")
    yield from _if("receipt" not in documents, "no-receipt")
    yield from _if("prescription" not in documents, "no-prescription")


def _people(of: Standing) -> Iterator[Gap]:
    yield from _if(not of.holds(Role.ADMINISTRATOR), "no-administrator")
    yield from _if(not of.holds(Role.PHYSICIAN), "no-physician")
    desks = (Role.RECEPTIONIST, Role.ADMISSION_CLERK)
    yield from _if(not any(of.holds(role) for role in desks), "no-reception")
    if of.takes_inpatients:
        yield from _if(not of.holds(Role.BED_MANAGER), "no-bed-manager")
        yield from _if(not (of.holds(Role.NURSE) or of.holds(Role.CHARGE_NURSE)), "no-nurse")
    if of.takes_inpatients and of.contents.get(Kind.LABORATORY):
        yield from _if(not of.holds(Role.LAB_TECHNOLOGIST), "no-technologist")
    if of.takes_inpatients and of.contents.get(Kind.MEDICINE):
        yield from _if(not of.holds(Role.PHARMACIST), "no-pharmacist")
    if of.four_eyes:
        approvers = [name for name, roles in of.people.items() if roles & {Role.ADMINISTRATOR, Role.RULE_APPROVER}]
        yield from _if(len(approvers) < 2, "no-second-pair-of-eyes")


_LOOKS: tuple[Callable[[Standing], Iterator[Gap]], ...] = (_itself, _places, _orderables, _money, _papers, _people)
