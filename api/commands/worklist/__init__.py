"""Human tasks through commands: lists, who has which, hand-overs, remarks, completion, many at once."""

from fastapi import APIRouter

from api.commands.worklist import completing, filters, handing, lists, many, owning, remarks

router = APIRouter(tags=["worklist"])
# `lists`, `filters`, `many` and `owning.next` have fixed names where the others have a task's id.
for part in (lists, filters, many, owning, handing, remarks, completing):
    router.include_router(part.router)
