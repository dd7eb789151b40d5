"""Log entries as Google's Cloud Logging reads them: one JSON object a line, on standard error as well as on standard output.

Whatever goes through Python's `logging` becomes an entry. A record may carry more than words: `labels` (what to find it by,
strings) and `fields` (what it says in numbers), given as `extra`. Secrets in addresses are blotted out here, whoever wrote
the record.

Sources: https://cloud.google.com/logging/docs/structured-logging for the special fields,
https://cloud.google.com/error-reporting/docs/formatting-error-messages for exceptions, of which each is one entry.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rushes.masking import masked

LONGEST = 30_000
"""Characters of a message or a stack trace that are kept: an entry may have 256 KiB."""
TRACES = ("TRACEPARENT", "X_CLOUD_TRACE_CONTEXT")
"""Variables in which whoever started this process may say of which trace it is a part."""
_GOOGLE = ("CLOUD_RUN_JOB", "CLOUD_RUN_EXECUTION", "CLOUD_RUN_WORKER_POOL", "K_SERVICE", "BATCH_JOB_UID")
"""Variables of Google's platforms that read a container's output line by line."""
_SERVICES = ("CLOUD_RUN_JOB", "CLOUD_RUN_WORKER_POOL", "K_SERVICE")
_HEAD = "Traceback (most recent call last):"
_PARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_GOOGLES_OWN = re.compile(r"([0-9a-f]{32})(?:/(\d{1,20}))?(?:;o=(\d))?", re.IGNORECASE)


def wants_json(log_format: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the setting `log_format` means JSON in this environment. A wrong value, yet to be refused, is `auto`."""
    return log_format == "json" or (log_format != "text" and any(environment.get(name) for name in _GOOGLE))


def trace_fields(text: str | None, project: str | None) -> dict[str, Any]:
    """The fields of an entry that is part of a trace.

    Args:
        text: a W3C `traceparent`, or Google's `X-Cloud-Trace-Context`: `TRACE/SPAN;o=SAMPLED`.
        project: the project of the trace; without it the trace's bare number is given.
    """
    if parent := _PARENT.fullmatch(text or ""):
        trace, span, sampled = parent[1], parent[2], bool(int(parent[3], 16) & 1)
    elif own := _GOOGLES_OWN.fullmatch(text or ""):
        trace, span, sampled = own[1].lower(), f"{int(own[2]):016x}" if own[2] else "", own[3] == "1"
    else:
        return {}
    fields = {"logging.googleapis.com/trace": f"projects/{project}/traces/{trace}" if project else trace}
    if span:
        fields["logging.googleapis.com/spanId"] = span
    return {**fields, "logging.googleapis.com/trace_sampled": sampled}


class CloudFormatter(logging.Formatter):
    """Makes a record one line of JSON."""

    def __init__(
        self, *, labels: Mapping[str, str], version: str, trace: Mapping[str, Any], environment: Mapping[str, str]
    ) -> None:
        """`labels` are on every entry, `trace` are fields of `trace_fields`."""
        super().__init__()
        self._labels = dict(labels)
        self._trace = dict(trace)
        service = next((environment[name] for name in _SERVICES if environment.get(name)), "rushes")
        self._service = {"service": service, "version": version}

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "severity": record.levelname,
            "message": _words(record.getMessage()),
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
        }
        if labels := {**self._labels, **getattr(record, "labels", {})}:
            entry["logging.googleapis.com/labels"] = labels
        entry |= self._trace
        entry |= {name: _plain(value) for name, value in getattr(record, "fields", {}).items() if value is not None}
        trace = self.formatException(record.exc_info) if record.exc_info else getattr(record, "stack_trace", None)
        if trace:
            entry |= {"stack_trace": _stack(trace), "serviceContext": self._service}
        if not record.name.startswith("rushes"):
            entry["logger"] = record.name
        line = json.dumps(entry, ensure_ascii=False, default=str)
        return line.encode("utf-8", "replace").decode("utf-8")  # a file's name may have half a character in it


def _words(text: str) -> str:
    return masked(text[:LONGEST])


def _stack(trace: str) -> str:
    """The end of it, where it says what went wrong, under the head by which a stack trace of Python is known."""
    cut = trace[-LONGEST:]
    return masked(cut if cut.lstrip().startswith(_HEAD) else f"{_HEAD}\n  …\n{cut}")


def _plain(value: Any) -> Any:
    return _words(value) if isinstance(value, str) else value
