"""search: the best plan under a limit. Candidates are built and measured; the front is measured again at the end."""

from __future__ import annotations

from collections.abc import Callable

from workbench.core.search import Search, SearchRequest
from workbench.pipeline.border import carried_out
from workbench.pipeline.files import SEARCH_FILE
from workbench.pipeline.record import Emit
from workbench.pipeline.searching.driver import Driver


def search(request: SearchRequest, emit: Emit, cancelled: Callable[[], bool]) -> Search:
    """One leg of a search: it explores until nothing is left to try or the time is up, or measures the front again.

    These are two legs, because what is claimed at the end is measured by a fresh process: whoever gets a result asks
    `Search.next_request` whether there is another. A leg may be killed at any time: the next one goes on from the last
    point, under another limit or other pins if these were changed. Never raises for what the user can cause: then
    `error` says why.
    """
    driver = Driver(request, emit, cancelled)
    return carried_out(request, SEARCH_FILE, emit, driver.run, driver.failed)
