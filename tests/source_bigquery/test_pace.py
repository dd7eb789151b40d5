"""How often results are staged: soon at first, and never more often in a day than a table takes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rushes.sources.bigquery.pace import Pace

DAY = 86_400
A_DAY = 30_000
"""Load jobs that a table partitioned by a column takes."""


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def loads_in(seconds: float, pace: Pace, clock: Clock) -> int:
    loads = 0
    while True:
        clock.now += max(0.0, pace.wait())
        if clock.now > seconds:
            return loads
        pace.loaded()
        loads += 1


def test_the_first_comes_when_the_user_wants_it():
    clock = Clock()
    pace = Pace(timedelta(seconds=10), 1, clock)
    assert pace.wait() == pytest.approx(10)
    assert loads_in(60, pace, clock) in (5, 6)


@pytest.mark.parametrize("tasks", [1, 8, 100, 1000, 4000])
def test_the_tasks_of_a_day_stay_within_what_a_table_takes(tasks: int):
    clock = Clock()
    pace = Pace(timedelta(seconds=1), tasks, clock)
    assert tasks * (loads_in(DAY, pace, clock) + 1) < A_DAY


@pytest.mark.parametrize("tasks", [1, 8, 100, 1000])
def test_ten_seconds_never_see_more_than_fifty_loads(tasks: int):
    pace = Pace(timedelta(seconds=0.1), tasks, Clock())
    assert tasks * 10 / pace.wait() <= 50.001


def test_a_refusal_doubles_the_intervals():
    clock = Clock()
    pace = Pace(timedelta(seconds=10), 1, clock)
    pace.refused()
    assert pace.wait() == pytest.approx(20)
    pace.refused()
    assert pace.wait() == pytest.approx(40)


def test_after_a_refusal_there_is_rest_and_after_a_load_there_is_none():
    clock = Clock()
    pace = Pace(timedelta(seconds=10), 1, clock)
    pace.refused()
    was_resting = pace.resting
    clock.now = 20.0
    assert (was_resting, pace.resting) == (True, False)
    pace.loaded()
    assert pace.wait() == pytest.approx(20), "it stays slower"
