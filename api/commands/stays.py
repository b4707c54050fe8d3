"""Reading the story of a stay."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter

from api.accesses import accessed
from api.caller import Caller
from api.care import refuse_beyond
from api.deps import allow
from api.present import present
from api.state import State
from api.ui import reading
from api.ui.views.journal import sentence
from api.ui.words import Language, words
from domain.ids import Reference
from rules.access import Action
from store import journal, records
from store.audit import AuditAction

router = APIRouter(prefix="/commands/stays", tags=["stays"])


@router.get("/{encounter_id}/journal")
async def read_journal(
    encounter_id: str, state: State, caller: Annotated[Caller, allow(Action.READ_STAY)]
) -> dict[str, Any]:
    """What happened to a stay, oldest first: keys for programs, a sentence in each language for people."""
    encounter = Reference.to("Encounter", encounter_id)
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        stay = await records.read(tx, encounter)
        patient = Reference(stay.body["subject"]["reference"])
        await refuse_beyond(tx, caller, Action.READ_STAY, patient, at.now)
        lines = await journal.read(tx, encounter)
        places = await reading.places(tx)
        named = {
            language: await reading.names(tx, words(language), [line.actor for line in lines], places)
            for language in Language
        }
        await accessed(tx, caller, AuditAction.READ, "journal", at=at.real, entities=[encounter], patients=[patient])
    return {
        "encounter": encounter,
        "patient": patient,
        "lines": [
            {
                "key": line.key.value,
                "params": line.params,
                "at": line.occurred_at.isoformat(),
                "actor": line.actor,
                "text": {
                    language.value: sentence(words(language), line, named[language], at.now) for language in Language
                },
            }
            for line in lines
        ],
    }
