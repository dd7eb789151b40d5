"""What an entry for Cloud Logging looks like."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from rushes.logs import LONGEST, CloudFormatter, trace_fields, wants_json

TRACE = "0af7651916cd43dd8448eb211c80319c"


def entry(message: str, *arguments: object, level: int = logging.INFO, name: str = "rushes.x", **extra: Any) -> Any:
    """What is written for a record. It is one line."""
    formatter = CloudFormatter(
        labels={"source": "pubsub"}, version="1.2.3", trace=trace_fields(f"{TRACE}/5;o=1", "films"),
        environment={"CLOUD_RUN_JOB": "nightly"},
    )  # fmt: skip
    record = logging.getLogger(name).makeRecord(
        name, level, "file.py", 1, message, arguments, extra.pop("exc_info", None), extra=extra
    )
    line = formatter.format(record)
    assert "\n" not in line
    line.encode()
    return json.loads(line)


def test_an_entry_has_what_cloud_logging_looks_for():
    told = entry("%s of %s", 2, 3, level=logging.WARNING, labels={"item": "7"}, fields={"done": 2, "gone": None})
    assert told.pop("time").endswith("+00:00")
    assert told == {
        "severity": "WARNING",
        "message": "2 of 3",
        "logging.googleapis.com/labels": {"source": "pubsub", "item": "7"},
        "logging.googleapis.com/trace": f"projects/films/traces/{TRACE}",
        "logging.googleapis.com/spanId": "0000000000000005",
        "logging.googleapis.com/trace_sampled": True,
        "done": 2,
    }


def test_an_exception_is_one_entry_that_error_reporting_takes_up():
    with pytest.raises(ValueError, match="two") as caught:
        int("two\nlines")
    told = entry("it broke", level=logging.ERROR, exc_info=(caught.type, caught.value, caught.tb))
    assert told["message"] == "it broke"
    assert told["stack_trace"].startswith("Traceback (most recent call last):\n")
    assert told["stack_trace"].endswith("'two\\nlines'")
    assert told["serviceContext"] == {"service": "nightly", "version": "1.2.3"}


def test_a_stack_trace_whose_beginning_is_lost_is_still_one():
    told = entry("it broke", stack_trace='  File "x.py", line 1\nValueError: no')
    assert told["stack_trace"].startswith("Traceback (most recent call last):\n")
    assert told["stack_trace"].endswith("ValueError: no")


def test_secrets_in_addresses_are_blotted_out_everywhere():
    address = "https://me:secret@example.org/?token=secret"
    told = entry("at %s", address, fields={"address": address}, stack_trace=address)
    assert "secret" not in json.dumps(told)
    assert "https://***@example.org/?token=***" in told["message"]


def test_no_text_makes_an_entry_that_cannot_be_read():
    told = entry("a \ud800 name\nof two lines \x1b[31m\x00", fields={"what": object()})
    assert told["message"] == "a ? name\nof two lines \x1b[31m\x00"
    assert len(json.dumps(entry("x" * 300_000, stack_trace="y" * 300_000))) < 3 * LONGEST


def test_another_package_is_named():
    assert entry("slow", name="asyncio")["logger"] == "asyncio"
    assert "logger" not in entry("slow", name="rushes.worker")


@pytest.mark.parametrize(
    ("log_format", "environment", "as_json"),
    [
        ("auto", {}, False),
        ("auto", {"TERM": "xterm", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}, False),
        ("auto", {"CLOUD_RUN_JOB": "nightly"}, True),
        ("auto", {"CLOUD_RUN_WORKER_POOL": "pool"}, True),
        ("auto", {"K_SERVICE": "service"}, True),
        ("auto", {"BATCH_JOB_UID": "job"}, True),
        ("text", {"CLOUD_RUN_JOB": "nightly"}, False),
        ("json", {}, True),
    ],
)
def test_the_form_follows_the_platform_unless_it_is_set(log_format: str, environment: dict[str, str], as_json):
    assert wants_json(log_format, environment) is as_json


@pytest.mark.parametrize(
    ("text", "span", "sampled"),
    [
        (f"00-{TRACE}-b7ad6b7169203331-01", "b7ad6b7169203331", True),
        (f"00-{TRACE}-b7ad6b7169203331-00", "b7ad6b7169203331", False),
        (f"{TRACE}/255;o=0", "00000000000000ff", False),
        (TRACE, None, False),
    ],
)
def test_a_trace_is_told_in_either_way(text: str, span: str | None, sampled):
    told = trace_fields(text, "films")
    assert told["logging.googleapis.com/trace"] == f"projects/films/traces/{TRACE}"
    assert told.get("logging.googleapis.com/spanId") == span
    assert told["logging.googleapis.com/trace_sampled"] is sampled


@pytest.mark.parametrize("text", [None, "", "nonsense", "00-short-b7ad6b7169203331-01", f"{TRACE}/x"])
def test_what_is_no_trace_is_left_out(text: str | None):
    assert trace_fields(text, "films") == {}
