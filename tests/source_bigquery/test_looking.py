"""What a look tells a task, and what rows become."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rushes.errors import ErrorClass
from rushes.model import Plan, Step
from rushes.sources.bigquery.feed import Seen
from rushes.sources.bigquery.items import THE_PROCESSOR, Rows, folder_of
from rushes.sources.whole_items import DIED

POSTED = Plan("process", (Step("process"),))
FETCHED = Plan("archive", (Step("download"), Step("process")))


def found(standing: str, number: int, *, task: int | None = 0, owner: str | None = None) -> Any:
    return SimpleNamespace(standing=standing, number=number, task=task, owner=owner)


def row(**given: Any) -> Any:
    usual = {"id": "a", "claim": "c", "url": "https://x.org/a", "title": None, "payload": None}
    return SimpleNamespace(**{**usual, "attempt": 0, "error": None, "started": None, **given})


def test_a_task_counts_its_own_items_and_knows_of_the_others():
    seen = Seen.of(
        [
            found("pending", 3), found("pending", 4, task=1), found("lapsed", 2, owner="gone"),
            found("own", 5, owner="us"), found("own", 6, task=1, owner="us"), found("completed", 7, task=1),
            found("retry", 1), found("leased", 8, owner="them"), found("leased", 9, task=1, owner="them"),
            found("ownerless", 10), found("nameless", 11, task=None),
        ],
        0,
    )  # fmt: skip
    assert (seen.pending, seen.claimable, seen.dead) == (5, 9, {"gone"})
    assert (seen.own, seen.unstaged, seen.staged, seen.returned) == (5, 11, 8, 1)
    assert (seen.leased, seen.ownerless, seen.nameless) == (8, 10, 11)


def test_what_cannot_be_taken_over_is_as_good_as_leased():
    seen = Seen.of([found("lapsed", 2, owner="gone"), found("lapsed", 3, owner="stuck")], 0, left_alone={"stuck"})
    assert (seen.pending, seen.claimable, seen.leased, seen.dead) == (2, 2, 3, {"gone"})


def test_to_a_service_an_address_is_text_and_shares_its_rest_with_all_others():
    item = Rows(POSTED, url="url", attempts=3).item(row(url="any text at all "))
    assert (item.source.location, item.lane, item.refused) == ("any text at all ", THE_PROCESSOR, None)


def test_what_is_fetched_rests_with_its_host():
    assert Rows(FETCHED, url="url", attempts=3).item(row(url=" https://www.x.org/a")).lane == "x.org"


@pytest.mark.parametrize("url", [None, "", "  \n"])
def test_nothing_is_no_address(url: str | None):
    refused = Rows(POSTED, url="link", attempts=3).item(row(url=url)).refused
    assert refused
    assert (refused.error_class, refused.message) == (ErrorClass.PERMANENT, "its column 'link' is empty")


def test_a_start_without_a_result_counts_and_makes_a_suspect():
    item = Rows(FETCHED, url="url", attempts=3).item(row(attempt=1, started=2))
    assert (item.attempts, item.died, item.written) == (2, True, True)
    assert Rows(FETCHED, url="url", attempts=3).item(row(attempt=1, error=DIED)).died
    assert not Rows(FETCHED, url="url", attempts=3).item(row(attempt=1, error="the line went dead")).died


def test_after_its_last_attempt_a_suspect_is_not_run_again():
    refused = Rows(FETCHED, url="url", attempts=3).item(row(attempt=3, error=DIED)).refused
    assert refused
    assert refused.message == "its worker ended while it ran, 3 times"


def test_secrets_of_an_address_are_not_told():
    refused = Rows(FETCHED, url="url", attempts=3).item(row(url="ftp://me:secret@x.org/a")).refused
    assert refused
    assert "secret" not in refused.message


def test_an_item_has_one_folder_whoever_works_at_it():
    assert folder_of("p.d.items", "a") == folder_of("p.d.items", "a") != folder_of("p.d.items", "b")
    assert ".." not in folder_of("p.d.items", "../../etc")
    assert folder_of("example.com:p.d.items", "a").startswith("bigquery/example.com_p.d.items/")
