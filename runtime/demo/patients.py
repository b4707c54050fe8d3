"""Invented patients, visibly so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from adapters.fhir import patient as patients
from adapters.fhir.patient import Gender
from domain.ids import Reference
from domain.worklist import Priority


@dataclass(frozen=True)
class Invented:
    """`ward` and `priority`: what a living hospital has asked for this person."""

    number: int
    name: str
    birth_date: date
    gender: Gender
    ward: str
    priority: Priority

    @property
    def reference(self) -> Reference:
        return Reference.to("Patient", f"demo-{self.number}")


PATIENTS = (
    Invented(1, "시연환자 가", date(1948, 3, 2), "female", "51", Priority.ROUTINE),
    Invented(2, "시연환자 나", date(1979, 11, 17), "male", "61", Priority.URGENT),
    Invented(3, "시연환자 다", date(2019, 6, 30), "female", "71", Priority.ROUTINE),
    Invented(4, "시연환자 라", date(1955, 1, 9), "male", "10", Priority.STAT),
    Invented(5, "시연환자 마", date(1991, 8, 21), "other", "51", Priority.ASAP),
)


def resources() -> Iterator[tuple[Reference, dict[str, Any]]]:
    for person in PATIENTS:
        body = patients.patient(person.name, person.birth_date, person.gender, identifier=f"DEMO-{person.number:04}")
        yield person.reference, body
