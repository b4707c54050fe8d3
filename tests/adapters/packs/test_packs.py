"""Our pack: signed, whole, rich enough to work with, and every entry says what it is."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.fhir.setup import showing
from adapters.packs import reading, signing
from adapters.packs.reading import Pack
from adapters.packs.sizes import Size
from domain.errors import Invalid
from domain.setup.catalogue import Laboratory
from domain.setup.kinds import Basis, Kind
from domain.setup.supplies import Medicine


@pytest.fixture(scope="module")
def packs() -> dict[Size, Pack]:
    return {size: reading.read(reading.shipped(), size) for size in Size}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(reading.shipped(), tmp_path / "pack"))


def counts(pack: Pack) -> Counter[Kind]:
    return Counter(entry.kind for entry in pack.entries)


def test_the_pack_is_rich_enough_to_work_with(packs: dict[Size, Pack]) -> None:
    tertiary = counts(packs[Size.TERTIARY])
    assert tertiary[Kind.LABORATORY] + tertiary[Kind.IMAGING] >= 150
    assert tertiary[Kind.MEDICINE] >= 150
    assert tertiary[Kind.FEE] >= 300
    assert tertiary[Kind.DIAGNOSIS] >= 600
    assert tertiary[Kind.ORDER_SET] >= 20
    clinic = counts(packs[Size.CLINIC])
    assert clinic[Kind.FEE] >= 300
    assert clinic[Kind.FORM] >= 3
    assert not any(entry.code.startswith("bed-") for entry in packs[Size.CLINIC].entries)


def test_a_larger_pack_holds_all_of_the_smaller_but_its_places(packs: dict[Size, Pack]) -> None:
    named = [
        {(entry.kind, entry.code) for entry in packs[size].entries if entry.kind is not Kind.PLACE} for size in Size
    ]
    assert named[0] < named[1] < named[2]


def test_every_entry_is_sourced_or_a_sample(packs: dict[Size, Pack]) -> None:
    for entry in packs[Size.TERTIARY].entries:
        assert entry.basis in {Basis.SOURCED, Basis.SAMPLE}, entry.code
        assert entry.basis is Basis.SAMPLE or entry.source, entry.code


def test_every_entry_can_be_shown_over_fhir_and_no_two_under_one_id(packs: dict[Size, Pack]) -> None:
    seen: set[tuple[str, str]] = set()
    for entry in packs[Size.TERTIARY].entries:
        for resource in showing.resources(entry.code, entry.content, active=True):
            name = (resource["resourceType"], resource["id"])
            assert name not in seen
            seen.add(name)
    assert len(seen) > 1500


def test_tests_of_healthy_adults_have_ranges_for_both_sexes(packs: dict[Size, Pack]) -> None:
    lacking = []
    for entry in packs[Size.TERTIARY].entries:
        content = entry.content
        if isinstance(content, Laboratory) and content.reference_ranges:
            for sex in ("F", "M"):
                adult = [one for one in content.reference_ranges if one.covers(sex, 35 * 365.25)]  # type: ignore[arg-type]
                if not adult:
                    lacking.append((entry.code, sex))
    # Markers of one sex, and hormones that change within the month.
    assert {code for code, _ in lacking} <= {"LH", "FSH", "E2", "PROG", "AMH", "CA125", "CA153", "PSA", "TP"}


def test_what_harms_most_easily_is_marked(packs: dict[Size, Pack]) -> None:
    medicines = {
        entry.code: entry.content for entry in packs[Size.TERTIARY].entries if isinstance(entry.content, Medicine)
    }
    # ISMP, list of high-alert medications in acute care settings, by class.
    for code in ("KCL20", "HEP25K", "WARF2", "INSR", "MOR10", "ROCU50", "MIDA5", "VINC1", "NACL3", "OXYT10", "LABE25"):
        assert medicines[code].high_alert, code
    for code, medicine in medicines.items():
        if medicine.high_alert:
            assert medicine.max_single or medicine.max_daily, code
        if medicine.control == "narcotic":
            assert medicine.high_alert, code
    # A weekly dose taken daily kills.
    assert medicines["MTX25"].interval_days == 7
    assert {route for medicine in medicines.values() for route in medicine.ways} >= {"PO", "IV", "IM", "SC", "IH"}


def test_diagnosis_codes_are_valid_from_a_day(packs: dict[Size, Pack]) -> None:
    codes = [entry for entry in packs[Size.CLINIC].entries if entry.kind is Kind.DIAGNOSIS]
    assert {entry.since for entry in codes} == {datetime(2020, 12, 31, 15, tzinfo=UTC)}


def test_a_changed_table_is_refused(folder: Path) -> None:
    fees = folder / "fee.csv"
    fees.write_text(fees.read_text("utf-8").replace("188.11", "988.11"), "utf-8")
    with pytest.raises(Invalid, match="not the table that was signed") as refused:
        reading.read(folder, Size.CLINIC)
    assert refused.value.params["field"] == "fee.csv"


def test_a_table_that_was_added_or_taken_away_is_refused(folder: Path) -> None:
    shutil.copy(folder / "fee.csv", folder / "extra.csv")
    with pytest.raises(Invalid, match="not in both"):
        reading.read(folder, Size.CLINIC)
    (folder / "extra.csv").unlink()
    (folder / "document.csv").unlink()
    with pytest.raises(Invalid, match="not in both"):
        reading.read(folder, Size.CLINIC)


def test_a_changed_manifest_is_refused(folder: Path) -> None:
    path = folder / signing.MANIFEST
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"version": "2099.1.1"}))
    with pytest.raises(Invalid, match="does not fit"):
        reading.read(folder, Size.CLINIC)


def test_another_publisher_is_taken_with_the_trusted_key_only(folder: Path) -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    tables = {file.name: file.read_bytes() for file in folder.glob("*.csv")}
    made = signing.signed(
        tables, key, name="network", version="2026.1.1", publisher="network", at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    (folder / signing.MANIFEST).write_text(made.model_dump_json())
    assert reading.read(folder, Size.CLINIC, key.public_key()).manifest.publisher == "network"
    with pytest.raises(Invalid, match="another key"):
        reading.read(folder, Size.CLINIC, other.public_key())


@pytest.mark.parametrize(
    ("table", "old", "new", "reason"),
    [
        ("laboratory.csv", ",edta,", ",nothing,", "there is no specimen nothing"),
        ("medicine.csv", ",mg,PO,", ",milligram,PO,", "row 2"),
        ("place-general.csv", "bed-5101-1,bd,", "bed-5101-1,bx,", "kind"),
        ("place-general.csv", ",room-5101,", ",site,", "not part of one of kind si"),
    ],
)
def test_a_row_that_is_wrong_stops_the_pack(folder: Path, table: str, old: str, new: str, reason: str) -> None:
    tables = {file.name: file.read_bytes() for file in folder.glob("*.csv")}
    tables[table] = tables[table].replace(old.encode(), new.encode())
    with pytest.raises(Invalid, match=reason):
        reading.entries(tables, Size.GENERAL)
