"""What all tables share: names, column types, and the hospital that leads each of them."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Identity, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel


class Code(Text):
    """Ids, references, codes: compared byte by byte, so that equality and order use plain index comparisons."""

    __visit_name__ = "TEXT"

    def __init__(self) -> None:
        super().__init__(collation="C")


class Codes(ARRAY[str]):
    def __init__(self) -> None:
        super().__init__(Code())


class Instant(DateTime):
    """An instant; the database keeps UTC. A value without a zone never reaches it."""

    __visit_name__ = "TIMESTAMP"

    def __init__(self) -> None:
        super().__init__(timezone=True)


class Json(JSONB):
    """References, codes and instants only: record bodies are sealed bytes."""


class Table(SQLModel):
    """A table named for its class: `WorklistTask` is `worklist_task`."""

    @declared_attr.directive
    def __tablename__(cls) -> str:  # noqa: N805  # SQLAlchemy calls it with the class
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


class HospitalTable(Table):
    """A table of hospital data: row security is forced on it, and `hospital` leads its columns and indexes."""

    hospital: str = Field(primary_key=True, sa_type=Code)


def counter() -> Any:
    """A running number in the primary key, given by the database."""
    return Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
