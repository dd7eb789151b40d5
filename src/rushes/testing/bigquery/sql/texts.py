"""Functions of STRING and BYTES."""

from __future__ import annotations

from sqlglot import exp

from rushes.testing.bigquery.fields import Kind
from rushes.testing.bigquery.refusals import unsupported
from rushes.testing.bigquery.sql.building import Rewrites, call, cast, kind_of, wrong_arguments

_DIGESTS = {"256": "sha256"}
_SIDES = {"LEADING": "ltrim", "TRAILING": "rtrim", "": "trim"}


def _text(node: exp.Expr, function: str) -> exp.Expr:
    """The argument, which must be a STRING.

    Raises:
        Refusal: it is BYTES, which this server does not do here, or what the service does not, either.
    """
    kind = kind_of(node)
    if kind is Kind.BYTES:
        raise unsupported(f"{function} of BYTES")
    if kind not in {Kind.STRING, None}:
        raise wrong_arguments(f"function {function}", node)
    return node


def _count(node: exp.Expr, function: str) -> exp.Expr:
    """A number that must not be below zero."""
    return call("bq_count", node, function)


def fingerprint(node: exp.FarmFingerprint) -> exp.Expr:
    (value,) = node.expressions
    if kind_of(value) is Kind.BYTES:
        return call("farm_fingerprint_of_bytes", value)
    return call("farm_fingerprint", _text(value, "FARM_FINGERPRINT"))


def concat(node: exp.Concat) -> exp.Expr:
    """NULL if any is NULL; DuckDB's function leaves NULLs out."""
    kinds = {kind_of(one) for one in node.expressions}
    if kinds - {Kind.STRING, None} and kinds - {Kind.BYTES, None}:
        raise wrong_arguments("function CONCAT", *node.expressions)
    first, *others = node.expressions
    joined: exp.Expr = exp.Paren(this=first)
    for one in others:
        joined = exp.DPipe(this=joined, expression=exp.Paren(this=one))
    return exp.Paren(this=joined)


def length(node: exp.Length) -> exp.Expr:
    return call("octet_length", node.this) if kind_of(node.this) is Kind.BYTES else call("length", node.this)


def byte_length(node: exp.ByteLength) -> exp.Expr:
    return call("octet_length", node.this) if kind_of(node.this) is Kind.BYTES else call("strlen", node.this)


def substring(node: exp.Substring) -> exp.Expr:
    value = _text(node.this, "SUBSTR")
    count = node.args.get("length")
    return (
        call("bq_substr_of", value, node.args["start"], count)
        if count
        else call("bq_substr", value, node.args["start"])
    )


def trim(node: exp.Trim) -> exp.Expr:
    name = _SIDES[str(node.args.get("position") or "")]
    value = _text(node.this, name.upper())
    characters = node.args.get("expression")
    # Without characters, all white space of Unicode goes there; DuckDB takes spaces alone.
    return call(name, value, characters) if characters else call(f"bq_{name}", value)


def split(node: exp.Split) -> exp.Expr:
    return call("bq_split", _text(node.this, "SPLIT"), node.args["expression"])


def pad(node: exp.Pad) -> exp.Expr:
    name = "lpad" if node.args["is_left"] else "rpad"
    value = _text(node.this, name.upper())
    return call(
        name, value, cast(_count(node.expression, name.upper()), "INTEGER"), node.args.get("fill_pattern") or " "
    )


def digest(node: exp.SHA2Digest) -> exp.Expr:
    """BYTES there, hexadecimal text in DuckDB."""
    name = _DIGESTS.get(node.args["length"].name)
    if name is None:
        raise unsupported("SHA512")
    return call("unhex", call(name, node.this))


def regexp_extract(node: exp.RegexpExtract) -> exp.Expr:
    """The group if there is one, else all that matches; NULL where nothing does."""
    value = _text(node.this, "REGEXP_EXTRACT")
    pattern = node.expression
    if not isinstance(pattern, exp.Literal):
        raise unsupported("REGEXP_EXTRACT with a pattern that is not a literal")
    return call("bq_regexp_extract", value, pattern, 1 if _has_group(pattern.name) else 0)


def _has_group(pattern: str) -> bool:
    import re

    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise unsupported(f"the pattern {pattern!r}: {error}") from error
    if groups > 1:
        raise unsupported("REGEXP_EXTRACT with more than one group, which the service refuses, too")
    return bool(groups)


def regexp_replace(node: exp.RegexpReplace) -> exp.Expr:
    return call("regexp_replace", _text(node.this, "REGEXP_REPLACE"), node.expression, node.args["replacement"], "g")


REWRITES: Rewrites = {
    exp.ByteLength: byte_length,
    exp.Concat: concat,
    exp.EndsWith: lambda node: call("ends_with", _text(node.this, "ENDS_WITH"), node.expression),
    exp.FarmFingerprint: fingerprint,
    exp.FromBase64: lambda node: call("from_base64", node.this),
    exp.Left: lambda node: call("left", _text(node.this, "LEFT"), _count(node.expression, "LEFT")),
    exp.Length: length,
    exp.Lower: lambda node: call("lower", _text(node.this, "LOWER")),
    exp.LowerHex: lambda node: call("lower", call("hex", node.this)),
    exp.MD5Digest: lambda node: call("unhex", call("md5", node.this)),
    exp.Pad: pad,
    exp.RegexpExtract: regexp_extract,
    exp.RegexpLike: lambda node: call("regexp_matches", _text(node.this, "REGEXP_CONTAINS"), node.expression),
    exp.RegexpReplace: regexp_replace,
    exp.Repeat: lambda node: call("repeat", _text(node.this, "REPEAT"), _count(node.args["times"], "REPEAT")),
    exp.Replace: lambda node: call("replace", _text(node.this, "REPLACE"), node.expression, node.args["replacement"]),
    exp.Reverse: lambda node: call("reverse", _text(node.this, "REVERSE")),
    exp.Right: lambda node: call("right", _text(node.this, "RIGHT"), _count(node.expression, "RIGHT")),
    exp.SHA2Digest: digest,
    exp.Split: split,
    exp.StartsWith: lambda node: call("starts_with", _text(node.this, "STARTS_WITH"), node.expression),
    exp.StrPosition: lambda node: call("strpos", _text(node.this, "STRPOS"), node.args["substr"]),
    exp.Substring: substring,
    exp.ToBase64: lambda node: call("to_base64", node.this),
    exp.Trim: trim,
    exp.Unhex: lambda node: call("unhex", node.this),
    exp.Uuid: lambda _: cast(call("uuid"), "VARCHAR"),
    exp.Upper: lambda node: call("upper", _text(node.this, "UPPER")),
}
