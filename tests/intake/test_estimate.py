"""What will be done, how long it takes and what it costs: added up from what is known, and no further."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rushes.batches.estimate import MEASURED, Estimator, Rate, Rates
from rushes.batches.prices import rate_of
from rushes.model import Plan, Source, Step, VideoKey

PLAN = Plan("summarize", tuple(Step(stage) for stage in ("scrape", "download", "transcribe", "summarize")))
HOUR = timedelta(hours=1)


def _url(number: int, *, collection: bool = False) -> Source:
    return Source(VideoKey(f"url:{number}"), f"https://example.org/{number}", collection)


def test_speech_takes_three_minutes_for_an_hour_of_video() -> None:
    estimate = Estimator(PLAN)

    estimate.add(_url(1), 2 * HOUR)

    assert estimate.stages["transcribe"].seconds == 360
    assert estimate.stages["summarize"].seconds == pytest.approx(0.4)
    assert (estimate.duration, estimate.of_known_duration) == (2 * HOUR, 1)


def test_what_is_not_known_is_counted_and_not_guessed() -> None:
    estimate = Estimator(PLAN)

    estimate.add(_url(1), HOUR)
    estimate.add(_url(2))

    download, transcribe = estimate.stages["download"], estimate.stages["transcribe"]
    assert (download.items, download.unknown, download.seconds) == (2, 2, 0)
    assert (transcribe.items, transcribe.unknown, transcribe.seconds) == (2, 1, 180)


def test_a_collection_is_listed_and_what_it_holds_is_not_counted() -> None:
    estimate = Estimator(PLAN)

    estimate.add(_url(1, collection=True))
    estimate.add(_url(2))
    estimate.add(Source(VideoKey("file:3"), "/talks/3.mp4"))

    assert (estimate.collections, estimate.urls, estimate.files) == (1, 1, 1)
    assert {name: one.items for name, one in estimate.stages.items()} == {
        "scrape": 1,
        "download": 2,
        "transcribe": 2,
        "summarize": 2,
    }


def test_stages_that_are_done_take_no_time() -> None:
    estimate = Estimator(PLAN)

    estimate.add(_url(1), HOUR, frozenset({"download", "transcribe"}))
    estimate.add(_url(2), HOUR, frozenset({"download", "transcribe", "summarize"}))

    assert (estimate.stages["transcribe"].done, estimate.stages["transcribe"].items) == (2, 0)
    assert (estimate.stages["summarize"].done, estimate.stages["summarize"].items) == (1, 1)
    assert estimate.all_done == 1


def test_what_was_seen_here_goes_before_what_was_measured_elsewhere() -> None:
    seen = Rates({"transcribe": Rate("seen", per_hour=100)}, {"transcribe": Rate("seen with files", per_item=7)})
    estimate = Estimator(PLAN, seen.over(MEASURED))

    estimate.add(_url(1), HOUR)
    assert estimate.stages["transcribe"].seconds == 100

    estimate.add(Source(VideoKey("file:3"), "/talks/3.mp4"))
    assert estimate.stages["transcribe"].seconds == 107


def test_a_model_costs_its_list_price_for_each_hour_of_talk() -> None:
    pytest.importorskip("genai_prices")
    rate = rate_of("openai:gpt-4o-mini")
    estimate = Estimator(PLAN, Rates({"summarize": rate}, {}))

    estimate.add(_url(1), HOUR)
    estimate.add(_url(2))

    summarize = estimate.stages["summarize"]
    # 0.15 dollars for a million tokens read, 0.60 for a million written.
    assert summarize.cost == pytest.approx(18_000 * 0.15e-6 + 1500 * 0.60e-6)
    assert (summarize.unpriced, summarize.unknown) == (1, 2)


def test_a_model_without_a_list_price_is_named_as_such() -> None:
    estimate = Estimator(PLAN, Rates({"summarize": rate_of("openai:house-model")}, {}))

    estimate.add(_url(1), HOUR)

    assert estimate.stages["summarize"].unpriced == 1
    assert "price unknown" in estimate.stages["summarize"].rate.basis
