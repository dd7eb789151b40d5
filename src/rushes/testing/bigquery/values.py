"""Values as BigQuery keeps them: JSON in its normal form, NUMERIC within its bounds."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

_DIGITS_AFTER_POINT = 9
_NUMERIC_END = 10**29


def normal_json(text: str) -> str:
    """The same value as BigQuery writes it: without spaces, an object's keys in order, of doubled ones the first.

    Raises:
        ValueError: it is no JSON.
    """
    value = json.loads(text, object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def read_numeric(value: Any) -> str:
    """A NUMERIC as text.

    Raises:
        ValueError, ArithmeticError: it is no number, or has too many digits.
    """
    number = Decimal(str(value)).normalize()
    if not number.is_finite() or abs(number) >= _NUMERIC_END:
        raise ValueError(value)
    if -int(number.as_tuple().exponent) > _DIGITS_AFTER_POINT:
        raise ValueError(value)
    return format(number, "f")
