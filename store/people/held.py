"""Which of somebody's roles count at a moment: a piece of SQL for statements that ask who may act."""

from __future__ import annotations

MOMENT = "coalesce(clock.epoch + (%(now)s::timestamptz - clock.base) * clock.rate, %(now)s::timestamptz)"
"""Hospital time from the parameter `now`, real time, where `hospital_clock` is joined as `clock`."""


def held(roles: str, hospital: str, account: str, *, moment: str = MOMENT) -> str:
    """SQL of an array: of `roles`, those that the account may act in at `moment`. All four are expressions.

    A role that licences name is held while one of them is valid, and one that posts name, while one of them runs
    (`domain/licences.py`). What neither names is held without condition.
    """
    return f"""array(
        select role from unnest({roles}) as role where not exists (
            select from standing st
            join credential cr on cr.hospital = st.hospital and cr.practitioner = st.practitioner
            where st.hospital = {hospital} and st.account = {account} and role = any(cr.roles)
            group by cr.kind
            having not bool_or(
                (cr.since is null or cr.since <= {moment}) and (cr.until is null or cr.until > {moment}))))"""  # noqa: S608  # names of columns only
