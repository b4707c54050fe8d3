"""Planted gaps are found, each with its process, its sentences and the page that mends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from adapters.packs import reading
from adapters.packs.sizes import Size
from domain.roles import Role
from domain.setup import sentences
from domain.setup.contents import content_of
from domain.setup.gaps import Gap, Standing, gaps
from domain.setup.kinds import Content, Kind
from domain.setup.places import HOSPITAL

Contents = dict[Kind, dict[str, Content]]
Plant = Callable[[Contents, dict[str, frozenset[Role]]], None]

_HOSPITAL = {"name_ko": "한빛", "name_en": "Hanbit", "type": "general", "agency_number": "12345678"}


@pytest.fixture(scope="module")
def whole() -> Standing:
    """A general hospital as the pack makes it, with everybody there."""
    tables = {file.name: file.read_bytes() for file in reading.shipped().glob("*.csv")}
    contents: Contents = {kind: {} for kind in Kind}
    for entry in reading.entries(tables, Size.GENERAL):
        contents[entry.kind][entry.code] = entry.content
    contents[Kind.HOSPITAL][HOSPITAL] = content_of(Kind.HOSPITAL, _HOSPITAL)
    people = {f"{role}@here": frozenset({role}) for role in Role}
    return Standing(contents, people)


def planted(whole: Standing, plant: Plant, **more: Any) -> list[Gap]:
    contents = {kind: dict(entries) for kind, entries in whole.contents.items()}
    people = dict(whole.people)
    plant(contents, people)
    return gaps(replace(whole, contents=contents, people=people, **more))


def changed(kind: Kind, code: str, **fields: Any) -> Plant:
    def plant(contents: Contents, _people: dict[str, frozenset[Role]]) -> None:
        contents[kind][code] = contents[kind][code].model_copy(update=fields)

    return plant


def without(kind: Kind, *codes: str, keep: Callable[[Any], bool] = lambda _content: False) -> Plant:
    """Without these entries, or without all that are not kept."""

    def plant(contents: Contents, _people: dict[str, frozenset[Role]]) -> None:
        contents[kind] = {
            code: content for code, content in contents[kind].items() if (code not in codes if codes else keep(content))
        }

    return plant


def nobody(*roles: Role) -> Plant:
    def plant(_contents: Contents, people: dict[str, frozenset[Role]]) -> None:
        for role in roles:
            del people[f"{role}@here"]

    return plant


def closed(code: str) -> Plant:
    return changed(Kind.PLACE, code, status="suspended")


def test_the_pack_with_everybody_there_lacks_nothing(whole: Standing) -> None:
    assert gaps(whole) == []


PLANTED: list[tuple[str, Plant]] = [
    ("hospital-not-described", without(Kind.HOSPITAL, HOSPITAL)),
    ("no-agency-number", changed(Kind.HOSPITAL, HOSPITAL, agency_number="")),
    ("no-department", without(Kind.DEPARTMENT)),
    ("department-without-agency-code", changed(Kind.DEPARTMENT, "IM", agency_code="")),
    ("no-ward", without(Kind.PLACE, keep=lambda place: place.kind not in {"wa", "bd"})),
    (
        "ward-without-bed",
        without(Kind.PLACE, *(f"bed-10{room:02}-{bed}" for room in range(1, 9) for bed in range(1, 9))),
    ),
    ("bed-outside-ward", changed(Kind.PLACE, "room-5101", part_of="main")),
    ("bed-in-closed-ward", closed("ward-51")),
    ("ward-without-department", changed(Kind.PLACE, "ward-51", department="")),
    ("place-of-ended-department", without(Kind.DEPARTMENT, "IM")),
    ("place-without-whole", without(Kind.PLACE, "main")),
    ("no-room", without(Kind.PLACE, keep=lambda place: place.kind != "ro")),
    ("test-without-specimen", without(Kind.SPECIMEN, "serum")),
    ("orderable-without-price", without(Kind.FEE, "L-WBC")),
    ("high-alert-without-limit", changed(Kind.MEDICINE, "KCL20", max_single=None, max_daily=None)),
    ("order-set-broken", changed(Kind.LABORATORY, "WBC", status="suspended")),
    ("no-medicine", without(Kind.MEDICINE)),
    ("no-diagnosis", without(Kind.DIAGNOSIS)),
    ("no-consultation-fee", without(Kind.FEE, keep=lambda fee: fee.category != "01")),
    ("no-ward-fee", without(Kind.FEE, keep=lambda fee: fee.category != "02")),
    ("no-intake-form", without(Kind.FORM, keep=lambda form: form.use != "visit")),
    ("no-nursing-form", without(Kind.FORM, keep=lambda form: form.use != "admission")),
    ("no-wristband", without(Kind.DOCUMENT, "wristband")),
    ("no-receipt", without(Kind.DOCUMENT, "receipt")),
    ("no-prescription", without(Kind.DOCUMENT, "prescription")),
    ("no-administrator", nobody(Role.ADMINISTRATOR)),
    ("no-physician", nobody(Role.PHYSICIAN)),
    ("no-reception", nobody(Role.RECEPTIONIST, Role.ADMISSION_CLERK)),
    ("no-bed-manager", nobody(Role.BED_MANAGER)),
    ("no-nurse", nobody(Role.NURSE, Role.CHARGE_NURSE)),
    ("no-technologist", nobody(Role.LAB_TECHNOLOGIST)),
    ("no-pharmacist", nobody(Role.PHARMACIST)),
]


@pytest.mark.parametrize(("code", "plant"), PLANTED, ids=[code for code, _ in PLANTED])
def test_a_planted_gap_is_found(whole: Standing, code: str, plant: Plant) -> None:
    found = {gap.code: gap for gap in planted(whole, plant)}
    assert code in found
    gap = found[code]
    assert gap.page.startswith("/setup/")
    for language in ("ko", "en"):
        assert "{" not in gap.sentence(language)
        assert gap.sentence(language).endswith(".")
    if gap.entries:
        assert all(entry in gap.sentence("ko") for entry in gap.entries)


def test_patients_in_a_bed_that_closed_are_told(whole: Standing) -> None:
    found = planted(whole, closed("bed-5101-1"), occupied=frozenset({"bed-5101-1", "bed-5101-2"}))
    assert [(gap.code, gap.entries) for gap in found] == [("patient-in-closed-bed", ("bed-5101-1",))]


def test_four_eyes_need_two_people(whole: Standing) -> None:
    fee = frozenset({Kind.FEE})
    assert planted(whole, lambda _contents, _people: None, four_eyes=fee) == []
    found = planted(whole, nobody(Role.RULE_APPROVER), four_eyes=fee)
    assert [gap.code for gap in found] == ["no-second-pair-of-eyes"]


def test_every_gap_that_has_a_sentence_is_planted_by_a_test() -> None:
    tried = {code for code, _ in PLANTED} | {"patient-in-closed-bed", "no-second-pair-of-eyes"}
    assert tried == set(sentences.GAPS)
    assert len(tried) >= 20


def test_a_clinic_needs_no_beds_and_no_laboratory_staff() -> None:
    tables = {file.name: file.read_bytes() for file in reading.shipped().glob("*.csv")}
    contents: Contents = {kind: {} for kind in Kind}
    for entry in reading.entries(tables, Size.CLINIC):
        contents[entry.kind][entry.code] = entry.content
    contents[Kind.HOSPITAL][HOSPITAL] = content_of(Kind.HOSPITAL, _HOSPITAL | {"type": "clinic"})
    people = {
        "doctor@here": frozenset({Role.PHYSICIAN, Role.ADMINISTRATOR}),
        "aide@here": frozenset({Role.RECEPTIONIST, Role.NURSE}),
    }
    assert gaps(Standing(contents, people)) == []
