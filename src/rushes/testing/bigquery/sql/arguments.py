"""Which types functions take: DuckDB takes more, and answers with something."""

from __future__ import annotations

from sqlglot import exp

from rushes.testing.bigquery.fields import Kind
from rushes.testing.bigquery.refusals import unsupported
from rushes.testing.bigquery.sql.building import field_of, wrong_arguments

_BOOL = frozenset({Kind.BOOLEAN})
_BYTES = frozenset({Kind.BYTES})
_COUNT = frozenset({Kind.INTEGER})
_NUMBER = frozenset({Kind.INTEGER, Kind.FLOAT, Kind.NUMERIC})
_TEXT = frozenset({Kind.STRING})
_TEXT_OR_BYTES = frozenset({Kind.STRING, Kind.BYTES})
_WHOLE = frozenset({Kind.INTEGER, Kind.NUMERIC})

Classes = tuple[type[exp.Expr], ...]
_TAKEN: tuple[tuple[Classes, str, frozenset[Kind]], ...] = (
    ((exp.CountIf, exp.LogicalAnd, exp.LogicalOr), "this", _BOOL),
    ((exp.Avg, exp.Sum), "this", _NUMBER),
    ((exp.Abs, exp.Ceil, exp.Exp, exp.Floor, exp.Ln, exp.Round, exp.Sign, exp.Sqrt, exp.Trunc), "this", _NUMBER),
    ((exp.Pow, exp.SafeDivide), "this expression", _NUMBER),
    ((exp.IntDiv, exp.Mod), "this expression", _WHOLE),
    ((exp.ByteLength, exp.Length, exp.MD5, exp.MD5Digest, exp.SHA2Digest), "this", _TEXT_OR_BYTES),
    ((exp.LowerHex, exp.ToBase64), "this", _BYTES),
    ((exp.FromBase64, exp.GroupConcat, exp.Lower, exp.Reverse, exp.Unhex, exp.Upper), "this", _TEXT),
    ((exp.EndsWith, exp.Like, exp.Split, exp.StartsWith, exp.Trim), "this expression", _TEXT),
    ((exp.RegexpExtract, exp.RegexpLike), "this expression", _TEXT),
    ((exp.RegexpReplace, exp.Replace), "this expression replacement", _TEXT),
    ((exp.StrPosition,), "this substr", _TEXT),
    ((exp.Left, exp.Pad, exp.Repeat, exp.Right, exp.Substring), "this", _TEXT),
    ((exp.Left, exp.Pad, exp.Right), "expression", _COUNT),
    ((exp.Repeat,), "times", _COUNT),
    ((exp.Substring,), "start length", _COUNT),
)
_CALLED: dict[type[exp.Expr], str] = {exp.GroupConcat: "function STRING_AGG", exp.Like: "operator LIKE"}
"""What the parser's notes have no name for."""


def check_arguments(node: exp.Expr) -> None:
    """Raises: Refusal (the function does not take values of such types, or this server does not do it with them)."""
    for classes, names, kinds in _TAKEN:
        if isinstance(node, classes):
            for name in names.split():
                _check(node, _plain(node.args.get(name)), kinds)


def _check(node: exp.Expr, value: exp.Expr | None, kinds: frozenset[Kind]) -> None:
    field = field_of(value) if value is not None else None
    if value is None or field is None or (field.kind in kinds and not field.repeated):
        return
    called = _CALLED.get(type(node)) or f"function {node.meta.get('bigquery_name') or node.key.upper()}"
    if field.kind is Kind.BYTES and Kind.STRING in kinds and not field.repeated:
        raise unsupported(f"the {called} of BYTES")
    raise wrong_arguments(called, value)


def _plain(value: exp.Expr | None) -> exp.Expr | None:
    """What an aggregate takes, without DISTINCT, ORDER BY and LIMIT."""
    while isinstance(value, exp.Limit | exp.Order):
        value = value.this
    return value.expressions[0] if isinstance(value, exp.Distinct) else value
