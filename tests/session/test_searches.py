"""Searches in the session: who looks on is told of news once, however often time goes by."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject, SignalInstance

from tests.charts.searches import found
from workbench.core.events import Ranked, Searched
from workbench.core.run import BuildConfig, RunRequest
from workbench.core.search import SearchRequest
from workbench.core.sensitivity import Culprits, CulpritsRequest
from workbench.session.live import LiveRun
from workbench.session.session import Session

RUN = RunRequest("r", "", "", BuildConfig("null"))


class Counter(QObject):
    def __init__(self, signal: SignalInstance) -> None:
        super().__init__()
        self.count = 0
        signal.connect(self._count)

    def _count(self, _news: object = None) -> None:
        self.count += 1


@pytest.fixture
def live(session: Session) -> LiveRun:
    """A job at work, whatever it does."""
    return session.runs.live.setdefault("job", LiveRun("job"))


def test_charts_are_told_of_a_search_when_there_is_a_point_more_and_not_at_every_tick(
    session: Session, live: LiveRun
) -> None:
    session.searches._request = SearchRequest("job", "", RUN)
    news, ticks = Counter(session.searches.changed), Counter(session.searches.ticked)
    for search in (found("n0"), found("n0", "n1")):
        live.apply(Searched("job", search))
        for _ in range(5):
            session.runs.ticked.emit(frozenset(["job"]))
    assert (news.count, ticks.count) == (2, 10)


def test_overlays_are_told_of_culprits_when_there_is_news_and_not_at_every_tick(
    session: Session, live: LiveRun
) -> None:
    session.culprits._job = CulpritsRequest("job", "", RUN).id
    news, told = Counter(session.culprits.changed), Counter(session.culprits.told)
    for count in (3, 4):
        live.apply(Ranked("job", Culprits("job", evaluations=count)))
        for _ in range(5):
            session.runs.ticked.emit(frozenset(["job"]))
    assert (news.count, told.count) == (2, 10)
