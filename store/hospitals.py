"""The hospitals of the installation. The list is shared: set-up writes it, the application only reads."""

from __future__ import annotations

from psycopg import AsyncConnection, OperationalError
from pydantic import BaseModel, TypeAdapter, ValidationError

from domain.errors import Invalid, NotFound, Unavailable
from domain.ids import HospitalCode
from store.database import AnyTransaction

_CODE: TypeAdapter[str] = TypeAdapter(HospitalCode)


class Hospital(BaseModel, frozen=True):
    """`kind`: tertiary, general, hospital or clinic."""

    code: HospitalCode
    name_ko: str
    name_en: str
    kind: str

    @property
    def small(self) -> bool:
        """Everybody who works there knows every patient: neither wards nor relations of care limit who sees what."""
        return self.kind == "clinic"


async def create(migrate_url: str, *, code: str, name_ko: str, name_en: str, kind: str) -> Hospital:
    """Enter a hospital, or give an entered one these names. Signs in as `phis_migrate`: the application may not.

    Raises Invalid for a code that cannot lead ids and addresses, Unavailable.
    """
    try:
        _CODE.validate_python(code)
    except ValidationError:
        raise Invalid("a hospital's code is 2 to 31 small letters and digits", field="code") from None
    hospital = Hospital(code=code, name_ko=name_ko, name_en=name_en, kind=kind)
    try:
        async with await AsyncConnection.connect(migrate_url, autocommit=True) as connection:
            await connection.execute(
                """
                insert into shared_hospital (code, name_ko, name_en, kind)
                values (%(code)s, %(name_ko)s, %(name_en)s, %(kind)s)
                on conflict (code) do update set name_ko = excluded.name_ko, name_en = excluded.name_en,
                                                 kind = excluded.kind
                """,
                hospital.model_dump(),
            )
    except OperationalError as down:
        raise Unavailable(f"the database does not answer: {down}", part="database") from down
    return hospital


async def get(tx: AnyTransaction, code: str) -> Hospital:
    """Raises NotFound."""
    found = await tx.rows(Hospital, "select * from shared_hospital where code = %s", [code])
    if not found:
        raise NotFound("no such hospital")
    return found[0]


async def all_of_them(tx: AnyTransaction) -> list[Hospital]:
    """Every hospital, by code."""
    return await tx.rows(Hospital, "select * from shared_hospital order by code")
