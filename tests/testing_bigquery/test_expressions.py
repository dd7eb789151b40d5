"""Expressions have the values, or the errors, that `expressions.txt` says."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, GoogleAPICallError

from rushes.testing.bigquery.sql.allowed import FUNCTION_NAMES

ARROW = " ⇒ "


def read_cases() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    section = ""
    for line in (Path(__file__).parent / "expressions.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif ARROW in line:
            expression, _, expected = line.rpartition(ARROW)
            found[section].append((expression, expected))
    return found


CASES = read_cases()
ERRORS = CASES.pop("errors")
WINDOWS = CASES.pop("windows, over x = 1, 2, 3")


WRITERS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "NULL",
    bool: lambda value: str(value).upper(),
    str: lambda value: json.dumps(value, ensure_ascii=False),
    Decimal: lambda value: f"NUMERIC {value.normalize():f}",
    dt.datetime: lambda value: f"{'TIMESTAMP' if value.tzinfo else 'DATETIME'} {value.isoformat(sep=' ')}",
    dt.date: lambda value: f"DATE {value}",
    dt.time: lambda value: f"TIME {value}",
    dict: lambda value: "{" + ", ".join(f"{key}: {shown(part)}" for key, part in value.items()) + "}",
    list: lambda value: "[" + ", ".join(map(shown, value)) + "]",
}


def shown(value: Any) -> str:
    """A value with its type, as the file writes it."""
    return WRITERS.get(type(value), repr)(value)


@pytest.mark.parametrize("section", CASES)
def test_values_are_those_of_the_reference(rows, section):
    wrong = []
    for expression, expected in CASES[section]:
        try:
            ((value,),) = rows(f"SELECT {expression}")
            found = shown(value)
        except GoogleAPICallError as error:
            found = str(error)
        if found != expected:
            wrong.append(f"{expression} is {found}, not {expected}")
    assert wrong == []


def test_errors_say_what_the_service_says(rows):
    wrong = []
    for expression, expected in ERRORS:
        try:
            wrong.append(f"{expression} is {rows(f'SELECT {expression}')}")
        except BadRequest as error:
            if expected not in str(error):
                wrong.append(f"{expression}: {error}, not {expected}")
    assert wrong == []


def test_windows_look_at_other_rows(rows):
    wrong = []
    for expression, expected in WINDOWS:
        numbers = "(SELECT x FROM UNNEST([1, 2, 3]) AS x)"
        found = rows(f"SELECT x, {expression} AS w FROM {numbers} WINDOW w AS (ORDER BY x DESC) ORDER BY x")
        values = {x: shown(value) for x, value in found}
        if ", ".join(values[x] for x in (1, 2, 3)) != expected:
            wrong.append(f"{expression} is {values}, not {expected}")
    assert wrong == []


def test_every_function_has_its_values():
    told = " ".join(expression for cases in (*CASES.values(), WINDOWS) for expression, _ in cases)
    assert sorted(name for name in FUNCTION_NAMES if not re.search(rf"\b{name}\b", told)) == []
