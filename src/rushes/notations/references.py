"""References to secrets: what an option holds instead of the secret itself, which would be stored with the batch.

`env:NAME` is a variable of the worker's environment, `file:PATH` a file that it can read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

FORMS = "env:NAME or file:/PATH"
LARGEST = 64_000
"""Bytes of a secret."""
_VARIABLE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*")


def check(reference: str) -> str:
    """The reference. Raises: ValueError, if it is none; what it is then is not told, as it may be the secret."""
    path = Path(reference.removeprefix("file:"))
    if not _VARIABLE.fullmatch(reference) and not (reference.startswith("file:") and path.is_absolute()):
        raise ValueError(f"wanted a reference to the value, {FORMS}, not the value itself: options are stored")
    return reference


def look_up(reference: str, environment: Mapping[str, str]) -> str:
    """What a checked reference refers to, without white space around it.

    Raises:
        LookupError: nothing is there; the message names the reference.
    """
    kind, _, where = reference.partition(":")
    if kind == "env":
        value = environment.get(where, "")
    else:
        try:
            with Path(where).open("rb") as file:
                value = file.read(LARGEST).decode()
        except (OSError, UnicodeDecodeError) as error:
            raise LookupError(f"{reference} cannot be read: {error}") from error
    if not value.strip():
        raise LookupError(f"{reference} is not set" if kind == "env" else f"{reference} is empty")
    return value.strip()
