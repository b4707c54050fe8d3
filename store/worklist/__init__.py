"""Human tasks: the rows behind every list, who has which, and what a person makes of their list (engine room, 5)."""

from store.worklist.lists import Counts, closed, counts, for_person
from store.worklist.owning import Person, add_candidate, add_people, cancel, claim, complete, release
from store.worklist.tasks import TOPIC, Task, candidates, get, move, of_patient, open_task

__all__ = [
    "TOPIC",
    "Counts",
    "Person",
    "Task",
    "add_candidate",
    "add_people",
    "cancel",
    "candidates",
    "claim",
    "closed",
    "complete",
    "counts",
    "for_person",
    "get",
    "move",
    "of_patient",
    "open_task",
    "release",
]
