"""Regular expressions that users write, run over strangers' text: by an engine whose time grows with the text and no faster.

Python's own can be made to run for hours by a careless pattern. Rust's, which comes with pydantic, cannot; it has no
look-around and no back references (https://docs.rs/regex).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, core_schema

LONGEST = 1000
"""Characters of a pattern."""


class Patterns:
    """Patterns that are looked for at the beginning of a text, after white space, in capitals or not."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Raises: ValueError, with the pattern and what is wrong with it."""
        for pattern in patterns:
            if not 0 < len(pattern) <= LONGEST:
                raise ValueError(f"a pattern of {len(pattern):,} characters; wanted 1 to {LONGEST:,}")
            _engine(pattern)  # by itself, so that nothing in it can end the group around it
        each = "|".join(f"(?:{pattern})" for pattern in patterns)
        self._engine = _engine(rf"(?i)\A\s*(?:{each})") if patterns else None

    def begin(self, text: str) -> bool:
        """Whether the text begins with what one of them says."""
        return self._engine is not None and self._engine.isinstance_python(text)


@lru_cache(maxsize=256)
def _engine(pattern: str) -> SchemaValidator:
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
    except SchemaError as error:
        *_, reason = str(error).strip().rpartition("error:")
        raise ValueError(f"{pattern!r} is no pattern: {' '.join(reason.split())}") from None
