"""Functions of TIMESTAMP, DATETIME, DATE and TIME. All zones but UTC are refused."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from sqlglot import exp

from rushes.testing.bigquery.fields import Field, Kind
from rushes.testing.bigquery.refusals import unsupported
from rushes.testing.bigquery.sql.building import Rewrite, Rewrites, call, cast, kind_of, literal_text, wrong_arguments
from rushes.testing.bigquery.sql.casts import converted

_SPANS = {
    "MICROSECOND": "to_microseconds", "MILLISECOND": "to_milliseconds", "SECOND": "to_seconds", "MINUTE": "to_minutes",
    "HOUR": "to_hours", "DAY": "to_days", "WEEK": "to_weeks", "MONTH": "to_months", "QUARTER": "to_quarters",
    "YEAR": "to_years",
}  # fmt: skip
_MICROSECONDS = {
    "MICROSECOND": 1, "MILLISECOND": 1_000, "SECOND": 1_000_000, "MINUTE": 60_000_000, "HOUR": 3_600_000_000,
    "DAY": 86_400_000_000,
}  # fmt: skip
_FIXED = frozenset(_MICROSECONDS)
_CALENDAR = frozenset({"DAY", "WEEK", "MONTH", "QUARTER", "YEAR"})
_BOUNDED = frozenset({"DAY", "MONTH", "QUARTER", "YEAR"})
"""Parts whose bounds are the same in DuckDB. Weeks begin on Sundays there."""
_TRUNCATED = _BOUNDED | {"HOUR", "MINUTE", "SECOND", "MILLISECOND"}
_EXTRACTED = frozenset(
    {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "QUARTER", "DAYOFYEAR", "DAYOFWEEK", "DATE"}
)
_CLOCK = frozenset({"HOUR", "MINUTE", "SECOND"})
_WITH_CLOCK = frozenset({Kind.TIMESTAMP, Kind.DATETIME, Kind.TIME})
_WITH_DAY = frozenset({Kind.TIMESTAMP, Kind.DATETIME, Kind.DATE})
_FORMATS = frozenset("YmdHMSyjbBaApI%")
"""Letters of formats that both know, with the same meaning."""
_IN_DUCKDB = {Kind.TIMESTAMP: "TIMESTAMPTZ", Kind.DATETIME: "TIMESTAMP", Kind.DATE: "DATE"}


def _unit(node: exp.Expr, allowed: frozenset[str], function: str) -> str:
    unit = node.args["unit"].name.upper()
    if unit not in allowed:
        raise unsupported(f"{function} with the part {unit}")
    return str(unit)


def _utc_only(zone: exp.Expr | None) -> None:
    if zone is not None and literal_text(zone, "a time zone") not in {"UTC", "+00:00", "+00", "Etc/UTC"}:
        raise unsupported("time zones other than UTC")


def _as_kind(node: exp.Expr, kind: Kind) -> exp.Expr:
    """The argument as that type: literals are read as it, anything else must be it."""
    if isinstance(node, exp.Literal) or kind_of(node) is None:
        return converted(node, Field("", kind))
    if kind_of(node) is not kind:
        raise wrong_arguments("function", node)
    return node


def shifted(kind: Kind, units: frozenset[str], *, back: bool = False) -> Rewrite:
    """ADD and SUB: a whole number of parts later or earlier."""

    def rewrite(node: exp.Expr) -> exp.Expr:
        span = call(_SPANS[_unit(node, units, f"{kind}_ADD")], _whole(node.args["expression"]))
        operator = exp.Sub if back else exp.Add
        return cast(exp.Paren(this=operator(this=_as_kind(node.this, kind), expression=span)), _IN_DUCKDB[kind])

    return rewrite


def _whole(count: exp.Expr) -> exp.Expr:
    """A number of parts, which the parser may have read as text."""
    if isinstance(count, exp.Literal) and count.name.lstrip("-").isdigit():
        return cast(exp.Literal.string(count.name), "BIGINT")
    if isinstance(count, exp.Literal) or kind_of(count) not in {Kind.INTEGER, None}:
        raise wrong_arguments("INTERVAL", count)
    return exp.Paren(this=count)


def timestamp_diff(node: exp.TimestampDiff) -> exp.Expr:
    """Whole parts between, not bounds passed."""
    part = _MICROSECONDS[_unit(node, _FIXED, "TIMESTAMP_DIFF")]
    later, earlier = (_as_kind(one, Kind.TIMESTAMP) for one in (node.this, node.expression))
    return call("bq_whole_parts", call("epoch_us", later), call("epoch_us", earlier), part)


def bounds_between(kind: Kind) -> Rewrite:
    """DATE_DIFF and DATETIME_DIFF: bounds of the part that were passed."""

    def rewrite(node: exp.Expr) -> exp.Expr:
        allowed = _BOUNDED if kind is Kind.DATE else _TRUNCATED
        unit = _unit(node, allowed, f"{kind}_DIFF")
        return call("date_diff", unit.lower(), _as_kind(node.args["expression"], kind), _as_kind(node.this, kind))

    return rewrite


def truncated(kind: Kind) -> Rewrite:
    def rewrite(node: exp.Expr) -> exp.Expr:
        _utc_only(node.args.get("zone"))
        unit = _unit(node, _BOUNDED if kind is Kind.DATE else _TRUNCATED, f"{kind}_TRUNC")
        return cast(call("date_trunc", unit.lower(), _as_kind(node.this, kind)), _IN_DUCKDB[kind])

    return rewrite


def date_truncated(node: exp.DateTrunc) -> exp.Expr:
    """DATE_TRUNC, which takes the other types, too."""
    _utc_only(node.args.get("zone"))
    kind = kind_of(node.this) or Kind.DATE
    unit = _unit(node, _BOUNDED if kind is Kind.DATE else _TRUNCATED, "DATE_TRUNC")
    return cast(call("date_trunc", unit.lower(), node.this), _IN_DUCKDB[kind])


def extracted(node: exp.Extract) -> exp.Expr:
    part = node.this.name.upper()
    if part not in _EXTRACTED:
        raise unsupported(f"EXTRACT of {part}")
    taken = _WITH_CLOCK if part in _CLOCK else _WITH_DAY
    if kind_of(node.expression) not in {*taken, None}:
        raise wrong_arguments(f"EXTRACT({part})", node.expression)
    if part == "DATE":
        return cast(node.expression, "DATE")
    value = call("date_part", part.lower(), node.expression)
    return exp.Paren(this=exp.Add(this=value, expression=exp.Literal.number(1))) if part == "DAYOFWEEK" else value


def to_date(node: exp.Date) -> exp.Expr:
    _utc_only(node.args.get("zone"))
    return converted(node.this, Field("", Kind.DATE))


def to_timestamp(node: exp.Timestamp) -> exp.Expr:
    _utc_only(node.args.get("zone"))
    return converted(node.this, Field("", Kind.TIMESTAMP))


def to_datetime(node: exp.TsOrDsToDatetime | exp.Datetime) -> exp.Expr:
    _utc_only(node.args.get("expression"))
    return converted(node.this, Field("", Kind.DATETIME))


def formatted(node: exp.TimeToStr) -> exp.Expr:
    return call("strftime", node.this, _format(node.args["format"]))


def _format(node: exp.Expr) -> str:
    """A format that both read alike."""
    text = literal_text(node, "a format")
    text = text.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S").replace("%E6S", "%S.%f").replace("%E4Y", "%Y")
    wrong = [letter for sign, letter in pairwise(text) if sign == "%" and letter not in _FORMATS | {"f"}]
    if wrong:
        raise unsupported(f"the format element %{wrong[0]}")
    return text


def parsed(kind: Kind) -> Rewrite:
    def rewrite(node: exp.Expr) -> exp.Expr:
        text = _format(node.args["format"])
        if "%Y" not in text:
            raise unsupported("reading times without a year")
        return cast(call("strptime", node.this, text), _IN_DUCKDB[kind])

    return rewrite


def unix(scale: int) -> Rewrite:
    return lambda node: call("bq_floor_div", call("epoch_us", _as_kind(node.this, Kind.TIMESTAMP)), scale)


def from_unix(node: exp.UnixToTime) -> exp.Expr:
    scale = node.args.get("scale")
    factor = 10 ** (6 - int(scale.name if scale is not None else 0))
    return call("make_timestamptz", exp.Mul(this=exp.Paren(this=node.this), expression=exp.Literal.number(factor)))


def now(time: datetime) -> Rewrites:
    """What is now, for one statement: the server's time, which a test can move."""
    text = time.isoformat(sep=" ")
    local = text.removesuffix("+00:00")
    return {
        exp.CurrentTimestamp: lambda _: cast(exp.Literal.string(text), "TIMESTAMPTZ"),
        exp.CurrentDate: lambda node: _zoned(node, cast(exp.Literal.string(local[:10]), "DATE")),
        exp.CurrentDatetime: lambda node: _zoned(node, cast(exp.Literal.string(local), "TIMESTAMP")),
        exp.CurrentTime: lambda node: _zoned(node, cast(exp.Literal.string(local[11:]), "TIME")),
    }


def _zoned(node: exp.Expr, made: exp.Expr) -> exp.Expr:
    _utc_only(node.args.get("this"))
    return made


REWRITES: Rewrites = {
    exp.Date: to_date,
    exp.DateAdd: shifted(Kind.DATE, _CALENDAR),
    exp.DateDiff: bounds_between(Kind.DATE),
    exp.DateFromParts: lambda node: call("make_date", node.args["year"], node.args["month"], node.args["day"]),
    exp.DateSub: shifted(Kind.DATE, _CALENDAR, back=True),
    exp.DateTrunc: date_truncated,
    exp.Datetime: to_datetime,
    exp.DatetimeAdd: shifted(Kind.DATETIME, _FIXED | _CALENDAR),
    exp.DatetimeDiff: bounds_between(Kind.DATETIME),
    exp.DatetimeSub: shifted(Kind.DATETIME, _FIXED | _CALENDAR, back=True),
    exp.DatetimeTrunc: truncated(Kind.DATETIME),
    exp.Extract: extracted,
    exp.ParseDatetime: parsed(Kind.DATETIME),
    exp.StrToDate: parsed(Kind.DATE),
    exp.StrToTime: parsed(Kind.TIMESTAMP),
    exp.TimeToStr: formatted,
    exp.Timestamp: to_timestamp,
    exp.TimestampAdd: shifted(Kind.TIMESTAMP, _FIXED),
    exp.TimestampDiff: timestamp_diff,
    exp.TimestampSub: shifted(Kind.TIMESTAMP, _FIXED, back=True),
    exp.TimestampTrunc: truncated(Kind.TIMESTAMP),
    exp.TsOrDsToDate: lambda node: converted(node.this, Field("", Kind.DATE)),
    exp.TsOrDsToDatetime: to_datetime,
    exp.TsOrDsToTimestamp: lambda node: converted(node.this, Field("", Kind.TIMESTAMP)),
    exp.UnixMicros: unix(1),
    exp.UnixMillis: unix(1_000),
    exp.UnixSeconds: unix(1_000_000),
    exp.UnixToTime: from_unix,
}
