"""The target's known columns: what an item came to, field by field. Those that a table has are filled, no other is missed.

Results wait in the staging table as one text of JSON, from which the merge takes the columns: a target may gain a column
while a job runs, and executions that know different ones do not get into each other's way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rushes.errors import SettingsError
from rushes.model import ItemStatus
from rushes.sources.bigquery.tables import Tables
from rushes.sources.bigquery.texts import dumped
from rushes.sources.results import ItemResult

DEEPEST = 500
"""https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#json_type"""
_NUMBERS = ("FLOAT64", "NUMERIC", "BIGNUMERIC")
_TEXT = ("STRING",)
_EITHER = ("STRING", "JSON")
_JSON = ("JSON", "STRING")


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is filled."""

    name: str
    types: Sequence[str]
    """What it may be; the first is what a new table gets."""
    value: Callable[[ItemResult], Any]
    expression: str | None = None
    """What it is in the merge, where it is no part of the result."""
    words: Callable[[Any], str] = dumped
    """How a value that is no text is told in a column of text."""

    def read(self, type_: str) -> str:
        """Its value in the merge, out of a staged result `r`."""
        if self.expression:
            return self.expression
        place = f"'$.{self.name}'"
        if type_ == "JSON":
            return f"parse_json(json_query(r.result, {place}))"
        text = f"json_value(r.result, {place})"
        return text if type_ == "STRING" else f"cast({text} as {type_.lower()})"


def _document(kind: str) -> Callable[[ItemResult], Any]:
    return lambda result: result.documents.get(kind)


def _chapters(result: ItemResult) -> Any:
    return result.documents.get("summary", {}).get("chapters")


def _none(_result: ItemResult) -> None:
    return None


def _spoken(transcript: Any) -> str:
    return " ".join(cue["text"] for cue in transcript["cues"])


def _overview(summary: Any) -> str:
    return str(summary["overview"])


KNOWN: Sequence[Column] = (
    Column("title", _TEXT, lambda result: result.title),
    Column("duration", _NUMBERS, lambda result: result.duration),
    Column("transcript", _EITHER, _document("transcript"), words=_spoken),
    Column("summary", _JSON, _document("summary"), words=_overview),
    Column("chapters", _JSON, _chapters),
    Column("artifacts", _JSON, lambda result: list(result.artifacts) or None),
    Column("notes", _JSON, lambda result: list(result.notes) or None),
    Column("result", _JSON, ItemResult.as_json),
    Column("engine", _TEXT, lambda result: result.engine),
    Column("input_tokens", ("INT64",), lambda result: result.input_tokens),
    Column("output_tokens", ("INT64",), lambda result: result.output_tokens),
    Column("cost", _NUMBERS, lambda result: result.cost),
    Column("error", _TEXT, lambda result: result.error),
    Column("error_class", _TEXT, lambda result: result.error_class),
    Column("remedy", _TEXT, lambda result: result.remedy),
    Column("attempt", ("INT64",), _none, "r.attempt"),
    Column("updated_at", ("TIMESTAMP",), _none, "current_timestamp()"),
)
"""Values are as `rushes.sources.results` has them. In a STRING a transcript is what is said, a summary its overview."""
ALWAYS = ("attempt", "updated_at")
"""These have a value whatever came of an item."""
_PLAIN = ("error", "error_class", "remedy", "engine", "cost", "attempt", "updated_at")
"""What a new target has for a pipeline that leaves no documents."""
_FULL = ("title", "duration", "transcript", "summary", "chapters", "artifacts", "notes", *_PLAIN)


def filled(tables: Tables, types: Mapping[str, str]) -> tuple[list[Column], list[str]]:
    """The columns of a target that are filled, and known ones that are of another type and left alone."""
    ours = {tables.id, tables.status, tables.result}
    there = [column for column in KNOWN if column.name in types and column.name not in ours]
    fitting = [column for column in there if types[column.name] in column.types]
    return [_principal(tables, types), *fitting], [column.name for column in there if column not in fitting]


def _principal(tables: Tables, types: Mapping[str, str]) -> Column:
    """The column of what was made. Where no other takes an error, it does, as `ERROR: …`."""
    apart = types.get("error") == "STRING" and tables.result != "error"
    as_it_is = types[tables.result] == "JSON"

    def value(result: ItemResult) -> Any:
        if result.status is ItemStatus.COMPLETED:
            return result.value if as_it_is and result.value is not None else result.text
        return None if apart else f"ERROR: {result.error}"

    return Column(tables.result, _EITHER, value)


def staged(columns: Sequence[Column], types: Mapping[str, str], result: ItemResult) -> str:
    """What is staged of a result: JSON of the columns that are filled.

    Raises:
        ValueError: a stage returned what no table can hold.
    """
    values = {column.name: _fitting(column, types[column.name], result) for column in columns if not column.expression}
    there = {name: value for name, value in values.items() if value is not None}
    return dumped(there, allow_nan=False)


def _fitting(column: Column, type_: str, result: ItemResult) -> Any:
    value = column.value(result)
    if type_ == "JSON":
        _check_json(value)
    elif type_ == "STRING" and value is not None and not isinstance(value, str):
        return column.words(value)
    return value


def _check_json(value: Any, depth: int = 1) -> None:
    """Raise `ValueError` for what BigQuery's JSON cannot hold: one such value would keep all others from the target."""
    match value:
        case dict() | list() | tuple():
            if depth >= DEEPEST:  # it is staged within another
                raise ValueError(f"a column of JSON holds no {DEEPEST} values within each other")
            for each in value.values() if isinstance(value, dict) else value:
                _check_json(each, depth + 1)
        case int() if not -(2**63) <= value < 2**64:
            raise ValueError(f"{value} is too large a number for a column of JSON")


def new_columns(tables: Tables, id_type: str, *, documents: bool) -> list[tuple[str, str, bool]]:
    """The columns of a target that is made here: name, type, required.

    Raises:
        SettingsError: two columns would have one name.
    """
    wanted = _FULL if documents else _PLAIN
    chosen = [(column.name, column.types[0], False) for column in KNOWN if column.name in wanted]
    own = [(tables.id, id_type, True), (tables.result, "STRING", False), (tables.status, "STRING", False)]
    names = [name for name, _, _ in own]
    if len(set(names)) < len(names):
        raise SettingsError(
            "RUSHES_BIGQUERY_ID, RUSHES_BIGQUERY_RESULT and RUSHES_BIGQUERY_STATUS name one column twice: "
            f"{', '.join(names)}"
        )
    return own + [column for column in chosen if column[0] not in names]
