"""Sets every bomb off in a process of its own that the kernel holds to its time and memory.

`python -m tests.api.web.bombing` prints a JSON list: family, name, what came of it, CPU milliseconds, and KiB that the
process grew by. With names behind it, it sets those off, with the protections switched off.
"""

from __future__ import annotations

import gc
import json
import os
import re
import resource
import sys
from pathlib import Path
from typing import Any

from tests.api.web.bombs import Bomb, bombs, said

SECONDS = 2
"""Where the kernel ends it; what a bomb may cost is far less."""

SPACE = 512 * 2**20


TIMES = 3
CHEAP = 0.03
"""What costs more seconds is done again, and the least counts: loading, and this machine's other work, are not its."""


def _measured(bomb: Bomb) -> dict[str, Any]:
    before = resource.getrusage(resource.RUSAGE_SELF)
    spent = []
    for _ in range(TIMES):
        started = resource.getrusage(resource.RUSAGE_SELF)
        came = said(bomb)
        ended = resource.getrusage(resource.RUSAGE_SELF)
        spent.append(ended.ru_utime + ended.ru_stime - started.ru_utime - started.ru_stime)
        if spent[-1] < CHEAP:
            break
    return {"came": came, "cpu": round(min(spent) * 1000), "grew": ended.ru_maxrss - before.ru_maxrss}


def _alone(bomb: Bomb) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        held = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (held + SPACE, held + SPACE))
        with os.fdopen(writing, "w") as told:
            told.write(json.dumps(_measured(bomb)))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        text = told.read()
    os.waitpid(child, 0)
    found = json.loads(text) if text else {"came": "ended by the kernel", "cpu": SECONDS * 1000, "grew": SPACE // 1024}
    return {"family": bomb.family, "name": bomb.name, **found}


def _unprotected() -> None:
    """What the server would be without its limits."""
    from api import guards
    from api.fhir import text, weight
    from domain.terminology import filters
    from tests.api.web import request_bombs as here

    weight.MOST = weight.MOST_LISTED = 10**9
    text.DEEPEST = 10**9
    guards.LARGEST_FORM = 10**9
    filters._pattern = re.compile
    here.refuse_head = lambda _: None


def main(names: list[str]) -> None:
    if names:
        _unprotected()
    made = [each for each in bombs() if not names or each.name in names]
    if not names:
        for each in made[:40]:
            said(each)  # what is loaded or compiled once is no bomb's
    gc.collect()
    gc.freeze()
    sys.stdout.write(json.dumps([_alone(each) for each in made], ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1:])
