"""When a host is left alone, as a table of what happens at which second."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rushes.stages.processing.breaker import LONGEST_REST, REST, STRIKES, Breaker


def opened(now: float = 0.0) -> Breaker:
    breaker = Breaker()
    breaker.failed(STRIKES, began=now, now=now)
    return breaker


def test_failures_in_a_row_open_it_and_a_success_between_begins_the_count_anew():
    breaker = Breaker()
    for second in range(STRIKES - 1):
        breaker.failed(1, began=second, now=second)
    assert breaker.wait(99) == 0
    breaker.succeeded()
    breaker.failed(1, began=99, now=99)
    assert breaker.wait(99) == 0
    breaker.failed(STRIKES, began=99, now=100)
    assert breaker.wait(100) == REST
    assert breaker.wait(100 + REST / 2) == REST / 2


def test_after_the_rest_one_request_looks_and_the_others_wait_for_it():
    breaker = opened()
    assert breaker.wait(REST) == 0
    assert breaker.wait(REST) == REST
    breaker.succeeded()
    assert breaker.wait(REST) == 0
    assert breaker.wait(REST) == 0


def test_the_rest_doubles_as_long_as_it_does_not_come_back_up_to_a_bound():
    breaker, now, rests = opened(), 0.0, []
    for _ in range(7):
        rests.append(breaker.wait(now))
        now += rests[-1]
        assert breaker.wait(now) == 0
        breaker.failed(5, began=now, now=now)
    assert rests == [REST, 2 * REST, 4 * REST, 8 * REST, LONGEST_REST, LONGEST_REST, LONGEST_REST]
    breaker.succeeded()
    breaker.failed(STRIKES, began=now, now=now)
    assert breaker.wait(now) == REST, "the next time begins as the first did"


def test_what_began_before_it_opened_does_not_prolong_the_rest():
    breaker = opened(now=10)
    for _ in range(500):
        breaker.failed(5, began=9, now=11)
    assert breaker.wait(11) == REST - 1
    assert breaker.wait(10 + REST) == 0
    breaker.failed(5, began=9, now=10 + REST)
    assert breaker.wait(10 + REST) == REST, "one looks: what it finds counts, and nothing else"


def test_what_began_before_it_opened_and_went_well_closes_it():
    breaker = opened()
    breaker.succeeded()
    assert breaker.wait(0) == 0


def test_a_look_that_never_ends_holds_nobody_up():
    breaker = opened()
    assert breaker.wait(REST) == 0
    assert breaker.wait(REST + 1) == REST - 1
    assert breaker.wait(2 * REST) == 0, "another looks"


def test_a_host_that_asks_for_rest_gets_it_whatever_else_comes():
    breaker = Breaker()
    breaker.asked_for_rest(30, now=0)
    breaker.asked_for_rest(10, now=1)
    breaker.succeeded()
    assert breaker.wait(1) == 29
    assert (breaker.wait(30), breaker.wait(30)) == (0, 0), "then all may go"


moments = st.tuples(st.floats(0, 20), st.sampled_from(["ask", "fail", "succeed", "rest"]))


@given(st.lists(moments, max_size=200))
def test_nobody_waits_for_ever(happens: list[tuple[float, str]]):
    breaker, now, began = Breaker(), 0.0, 0.0
    for passes, what in happens:
        now += passes
        if what == "ask":
            wait = breaker.wait(now)
            assert 0 <= wait <= LONGEST_REST
            began = now if wait == 0 else began
        elif what == "fail":
            breaker.failed(50, began=began, now=now)
        elif what == "succeed":
            breaker.succeeded()
        else:
            breaker.asked_for_rest(5, now=now)
    while wait := breaker.wait(now):
        now += wait
    breaker.succeeded()
    assert breaker.wait(now) == 0
