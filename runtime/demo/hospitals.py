"""The demo hospitals as somebody asks for them: 한빛대학교병원 with four wards of its own, 새봄의원 as packed."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from domain.setup.places import HospitalType
from runtime.hospitals.creating import NewHospital

PLACES = Path(str(files("runtime.demo"))) / "hanbit-places.csv"

HOSPITALS = (
    NewHospital(
        "hanbit",
        "한빛대학교병원",
        "Hanbit University Hospital",
        HospitalType.TERTIARY,
        agency_number="99999991",  # invented, like everything of the demo
        phone="02-000-0000",
        address="서울특별시 시연구 한빛로 1",
        places=PLACES,
    ),
    NewHospital(
        "saebom",
        "새봄의원",
        "Saebom Clinic",
        HospitalType.CLINIC,
        agency_number="99999992",
        phone="02-000-0001",
        address="서울특별시 시연구 새봄길 2",
    ),
)
