"""Row security and grants, as migrations state them. Past migrations use these: never change what one does."""

from __future__ import annotations

from alembic import op


def isolate(table: str, app: str, system: str | None = None) -> None:
    """Force row security on a table of hospital data and grant it.

    app: privileges of `phis_app`, within the hospital that its transaction names; without one it sees nothing. A pooled
    connection holds '' after its first use, hence nullif.  system: privileges of `phis_system`, for all hospitals; may
    name columns, as in `select, update (delivered_at)`.
    """
    lock(table)
    op.execute(
        f"create policy own_hospital on {table} to phis_app "
        "using (hospital = nullif(current_setting('phis.hospital', true), '')) "
        "with check (hospital = nullif(current_setting('phis.hospital', true), ''))"
    )
    op.execute(f"grant {app} on {table} to phis_app")
    if system:
        op.execute(f"create policy every_hospital on {table} to phis_system using (true) with check (true)")
        op.execute(f"grant {system} on {table} to phis_system")


def lock(table: str) -> None:
    """Force row security and allow nothing: the owner, too, sees no row."""
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")


def month_partition(table: str, year: int, month: int) -> None:
    """One month of a table partitioned by time. People reach it through its table only."""
    name = f"{table}_{year}_{month:02}"
    after = (year + 1, 1) if month == 12 else (year, month + 1)
    op.execute(
        f"create table {name} partition of {table} "
        f"for values from ('{year}-{month:02}-01T00:00Z') to ('{after[0]}-{after[1]:02}-01T00:00Z')"
    )
    lock(name)
