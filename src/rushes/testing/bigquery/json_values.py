"""JSON as BigQuery keeps it: without spaces, and with an object's keys in order."""

from __future__ import annotations

import json


def normal_json(text: str) -> str:
    """The same value as BigQuery writes it.

    Raises:
        ValueError: it is no JSON.
    """
    return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
