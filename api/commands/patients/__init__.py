"""Patients: found, registered, corrected, and two records of one person merged by two people."""

from fastapi import APIRouter

from api.commands.patients import correcting, finding, merging, registering

router = APIRouter()
for each in (finding, registering, merging, correcting):
    router.include_router(each.router)
