"""The hospital's clock as kept (engine room, 12)."""

from __future__ import annotations

from domain.clock import HospitalClock
from domain.errors import Conflict
from store.database import AnyTransaction, Transaction


async def clock_of(tx: Transaction) -> HospitalClock:
    """The clock of the transaction's hospital; the real one where none was set."""
    found = await tx.rows(
        HospitalClock, "select epoch, base, rate from hospital_clock where hospital = %s", [tx.hospital]
    )
    return found[0] if found else HospitalClock()


async def clocks(tx: AnyTransaction) -> dict[str, HospitalClock]:
    """Every clock that was set, by hospital."""
    found = await tx.all("select hospital, epoch, base, rate from hospital_clock order by hospital")
    return {row["hospital"]: HospitalClock.model_validate(row) for row in found}


async def set_clock(tx: Transaction, clock: HospitalClock) -> None:
    """Set the clock. Raises Conflict while processes are open: their due instants were made with the old one."""
    # No process starts between this look and the commit. Starting, which is frequent, pays nothing for it.
    await tx.execute("lock table process in share row exclusive mode")
    open_ = await tx.one(
        "select count(*) as open from process where hospital = %s and closed_at is null", [tx.hospital]
    )
    if open_ and open_["open"]:
        raise Conflict("the clock stays while processes are open", open=str(open_["open"]))
    await tx.execute(
        """
        insert into hospital_clock (hospital, epoch, base, rate)
        values (%(hospital)s, %(epoch)s, %(base)s, %(rate)s)
        on conflict (hospital) do update set epoch = excluded.epoch, base = excluded.base, rate = excluded.rate
        """,
        {"hospital": tx.hospital, **clock.model_dump()},
    )
