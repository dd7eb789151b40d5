"""What a task has in hand: the order in which items begin, rests, second attempts, and items that kill their worker."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rushes.model import Source, VideoKey
from rushes.sources.bigquery.hand import Hand, Item, Key


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hand(clock: Clock) -> Hand:
    return Hand(clock)


def item(name: str, *, lane: str | None = None, died: bool = False) -> Item:
    return Item(Key(name, "c1"), Source(VideoKey(f"row:{name}"), name), lane=lane, died=died)


def names(items: list[Item]) -> list[str]:
    return [each.key.id for each in items]


def test_items_begin_in_the_order_in_which_they_were_read(hand: Hand):
    for name in "abc":
        hand.add(item(name))
    assert names(hand.begin(2)) == ["a", "b"]
    assert names(hand.begin(2)) == ["c"]
    assert not hand.idle


def test_what_is_due_again_comes_first_and_not_before_its_time(hand: Hand, clock: Clock):
    first, second = item("a"), item("b")
    hand.add(first)
    (begun,) = hand.begin(1)
    hand.end(begun)
    hand.again(begun, timedelta(seconds=5))
    hand.add(second)
    assert hand.next_due() == 5
    assert names(hand.begin(9)) == ["b"]
    clock.now += 5
    assert names(hand.begin(9)) == ["a"]


def test_items_of_a_resting_host_wait_and_the_others_go_on(hand: Hand, clock: Clock):
    for name, lane in (("a", "x.org"), ("b", "y.org"), ("c", "x.org")):
        hand.add(item(name, lane=lane))
    hand.rest("x.org", timedelta(seconds=30))
    assert names(hand.begin(9)) == ["b"]
    assert hand.next_due() == 30
    clock.now += 30
    assert names(hand.begin(9)) == ["a", "c"]


def test_a_longer_rest_is_not_cut_short_by_a_shorter_one(hand: Hand, clock: Clock):
    hand.add(item("a", lane="x.org"))
    hand.rest("x.org", timedelta(seconds=30))
    hand.rest("x.org", timedelta(seconds=1))
    clock.now += 2
    assert not hand.begin(1)


def test_an_item_that_killed_its_worker_runs_alone_when_all_else_is_done(hand: Hand):
    hand.add(item("suspect", died=True))
    hand.add(item("a"))
    (other,) = hand.begin(9)
    assert names([other]) == ["a"]
    assert not hand.begin(9), "something runs beside it"
    hand.end(other)
    (suspect,) = hand.begin(9)
    assert names([suspect]) == ["suspect"]
    hand.add(item("b"))
    assert not hand.begin(9), "nothing begins beside a suspect"
    hand.end(suspect)
    assert names(hand.begin(9)) == ["b"]


def test_an_item_is_known_until_its_result_is_staged(hand: Hand):
    one = item("a")
    hand.add(one)
    hand.end(*hand.begin(1))
    assert one.key in hand
    assert hand.idle
    hand.staged([one.key])
    assert one.key not in hand


def test_what_came_to_nothing_begins_before_all_others(hand: Hand):
    for name in "ab":
        hand.add(item(name))
    (begun,) = hand.begin(1)
    hand.end(begun)
    hand.back(begun)
    assert names(hand.begin(9)) == ["a", "b"]


def test_giving_back_forgets_what_has_not_begun_and_nothing_else(hand: Hand):
    for name in "abc":
        hand.add(item(name))
    hand.add(item("s", died=True))
    (running, failed) = hand.begin(2)
    hand.end(failed)
    hand.again(failed, timedelta(seconds=9))
    written = item("w")
    written.written = True
    hand.add(written)
    hand.drop_unbegun()
    assert hand.known() == {running.key, failed.key, written.key}
    assert names(hand.left_over()) == ["a", "b", "w"]


def test_a_lost_lease_leaves_only_what_is_done(hand: Hand):
    for name in "abc":
        hand.add(item(name))
    done, _running = hand.begin(2)
    hand.end(done)
    hand.drop()
    assert hand.known() == {done.key}
    assert hand.idle
