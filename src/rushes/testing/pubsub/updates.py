"""Changing a topic or a subscription: the fields that an update's mask names, and no others."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rushes.testing.pubsub.refusals import invalid


def updated(current: Any, given: Any, paths: Collection[str], fixed: Collection[str]) -> Any:
    """The current state with those fields as given; one that is not given is unset. `fixed` ones cannot be changed.

    Raises: Refused.
    """
    fields = {path.partition(".")[0] for path in paths}
    wrong = (fields & set(fixed)) | (fields - set(current.DESCRIPTOR.fields_by_name))
    if wrong or not fields:
        raise invalid(f"Invalid update_mask provided: {', '.join(sorted(wrong)) or 'it is empty'}")
    result, change = type(current)(), type(current)()
    result.CopyFrom(current)
    change.CopyFrom(given)
    for field in fields:
        result.ClearField(field)
    for field in set(current.DESCRIPTOR.fields_by_name) - fields:
        change.ClearField(field)
    result.MergeFrom(change)
    return result
