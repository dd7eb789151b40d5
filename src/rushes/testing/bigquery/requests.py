"""Requests and replies, as the routes see them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rushes.testing.bigquery.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By their names in lower case."""
    body: bytes
    parts: Mapping[str, str] = field(default_factory=dict)
    """What the path names: project, dataset, table, job."""

    @property
    def text(self) -> str:
        """What faults are matched with: method and path, and the body in the next line."""
        return f"{self.method} {self.path}\n{self.body.decode(errors='replace')}"

    def json(self) -> Any:
        """Raises: Refusal (the body is no JSON object)."""
        try:
            said = json.loads(self.body)
        except ValueError as error:
            raise Refusal("invalid", f"Parse Error: {error}") from error
        if not isinstance(said, dict):
            raise Refusal("invalid", "Parse Error: the body is not an object")
        return said


@dataclass(frozen=True, slots=True)
class Reply:
    body: Any = None
    """Written as JSON; None: there is none."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
