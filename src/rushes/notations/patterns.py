"""Regular expressions that users write, run over strangers' text: by an engine whose time grows with the text and no faster.

Python's own can be made to run for hours by a careless pattern. Rust's, which comes with pydantic, cannot; it has no
look-around and no back references (https://docs.rs/regex).
"""

from __future__ import annotations

from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, core_schema

LONGEST = 1000
"""Characters of a pattern."""


class Pattern:
    """A pattern that is looked for at the beginning of a text, after white space, in capitals or not."""

    def __init__(self, text: str) -> None:
        """Raises: ValueError, with what is wrong with the pattern."""
        self.text = text
        if not text or len(text) > LONGEST:
            raise ValueError(f"a pattern of {len(text):,} characters; wanted 1 to {LONGEST:,}")
        _engine(text, anchored=False)  # by itself, so that nothing in it can end the group around it
        self._engine = _engine(text, anchored=True)

    def begins(self, text: str) -> bool:
        """Whether the text begins with what the pattern says."""
        return self._engine.isinstance_python(text)


@lru_cache(maxsize=256)
def _engine(text: str, *, anchored: bool) -> SchemaValidator:
    pattern = rf"(?i)\A\s*(?:{text})" if anchored else text
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
    except SchemaError as error:
        *_, reason = str(error).strip().rpartition("error:")
        raise ValueError(f"no pattern: {' '.join(reason.split())}") from None
