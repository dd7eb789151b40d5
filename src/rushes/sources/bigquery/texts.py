"""Texts as BigQuery can hold them."""

from __future__ import annotations

import json
import re
from typing import Any

_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""As JSON writes it. After an odd number of backslashes it is a backslash, and what follows it."""


def dumped(value: Any, *, allow_nan: bool = True) -> str:
    """JSON of a value, without what is no text to BigQuery: NUL, and half characters.

    Raises:
        ValueError: a number is none, and may not be.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=allow_nan)
    return _NUL.sub(r"\1" + "\N{REPLACEMENT CHARACTER}", text).encode("utf-8", "replace").decode()
