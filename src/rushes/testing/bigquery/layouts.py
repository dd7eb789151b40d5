"""What DDL says of a table beside its columns, as the REST API says it: partitions, clusters, options."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlglot import exp

from rushes.testing.bigquery.refusals import Refusal, unsupported

Evaluate = Callable[[exp.Expr], Any]
"""The value of an expression without columns."""
_DAY_MS = 86_400_000
_BY_DAY = (exp.Date, exp.TsOrDsToDate)
_BY_PART = (exp.TimestampTrunc, exp.DateTrunc, exp.DatetimeTrunc)
_PARTS = frozenset({"HOUR", "DAY", "MONTH", "YEAR"})


@dataclass(slots=True)
class Layout:
    """Details of a table. `expires` is told apart, since NULL means something: never."""

    details: dict[str, Any] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    expires: datetime | None = None
    sets_expiry: bool = False


def read_layout(properties: Iterable[exp.Expr], evaluate: Evaluate) -> Layout:
    """Read the clauses behind a table's columns.

    Raises:
        Refusal: one of them is not supported.
    """
    layout = Layout()
    for one in properties:
        match one:
            case exp.PartitionedByProperty():
                layout.details |= _partitioning(one.this)
            case exp.ClusterProperty():
                layout.details["clustering"] = {"fields": [column.name for column in one.expressions]}
            case exp.Property() if type(one) is exp.Property:
                _read_option(layout, one.name.lower(), one.args["value"], evaluate)
            case _:
                raise unsupported(f"tables with {one.sql('bigquery')[:80]}")
    _move_partition_expiry(layout.details)
    return layout


def column_description(constraint: exp.Properties, evaluate: Evaluate) -> str | None:
    """The description among a column's options.

    Raises:
        Refusal: there are others.
    """
    description: str | None = None
    for one in constraint.expressions:
        if one.name.lower() != "description":
            raise unsupported(f"the column option {one.name}")
        description = evaluate(one.args["value"])
    return description


def _partitioning(by: exp.Expr) -> Mapping[str, Any]:
    if isinstance(by, exp.RangeBucket):
        series = by.expression
        bounds = {
            "start": series.args["start"].name,
            "end": series.args["end"].name,
            "interval": series.args["step"].name,
        }
        return {"rangePartitioning": {"field": by.this.name, "range": bounds}}
    if isinstance(by, _BY_PART):
        part = by.args["unit"].name.upper()
        if part in _PARTS:
            return {"timePartitioning": {"type": part, "field": by.this.name}}
    elif isinstance(by, _BY_DAY):
        return {"timePartitioning": {"type": "DAY", "field": by.this.name}}
    elif isinstance(by, exp.Identifier | exp.Column) and not by.name.upper().startswith("_PARTITION"):
        return {"timePartitioning": {"type": "DAY", "field": by.name}}
    raise unsupported(f"PARTITION BY {by.sql('bigquery')}")


def _read_option(layout: Layout, name: str, value: exp.Expr, evaluate: Evaluate) -> None:
    if name == "labels":
        pairs = [[part.name for part in pair.expressions] for pair in value.expressions]
        layout.details["labels"] = dict(pairs)
        return
    said = evaluate(value)
    match name:
        case "expiration_timestamp":
            layout.expires, layout.sets_expiry = said, True
        case "description" | "friendly_name":
            key = "friendlyName" if name == "friendly_name" else name
            if said is None:
                layout.removed.add(key)
            else:
                layout.details[key] = said
        case "partition_expiration_days":
            layout.details["partitionExpirationDays"] = said
        case "require_partition_filter" if not said:
            pass
        case _:
            raise unsupported(f"the table option {name}")


def _move_partition_expiry(details: dict[str, Any]) -> None:
    """How long partitions stay is noted with the partitions. Nothing is ever removed here for it."""
    days = details.pop("partitionExpirationDays", None)
    if days is None:
        return
    if "timePartitioning" not in details:
        raise Refusal(
            "invalidQuery", "partition_expiration_days needs a table that is partitioned by time", location="query"
        )
    details["timePartitioning"]["expirationMs"] = str(int(float(days) * _DAY_MS))
