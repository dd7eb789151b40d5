"""Functions of STRING and BYTES."""

from __future__ import annotations

import re

from sqlglot import exp

from rushes.testing.bigquery.fields import Kind
from rushes.testing.bigquery.refusals import unsupported
from rushes.testing.bigquery.sql.building import Rewrite, Rewrites, call, cast, kind_of, wrong_arguments

_DIGESTS = {"256": "sha256"}
_SIDES = {"LEADING": "ltrim", "TRAILING": "rtrim", "": "trim"}


def _as(name: str, *arguments: str) -> Rewrite:
    """DuckDB's function of that name, with the node's arguments of those names."""
    return lambda node: call(name, *(node.args[argument] for argument in ("this", *arguments)))


def _counted(name: str, argument: str) -> Rewrite:
    """The same for functions whose number must not be below zero."""
    return lambda node: call(name, node.this, _count(node.args[argument], name.upper()))


def _count(node: exp.Expr, function: str) -> exp.Expr:
    return call("bq_count", node, function)


def fingerprint(node: exp.FarmFingerprint) -> exp.Expr:
    (value,) = node.expressions
    kind = kind_of(value)
    if kind not in {Kind.STRING, Kind.BYTES, None}:
        raise wrong_arguments("function FARM_FINGERPRINT", value)
    return call("farm_fingerprint_of_bytes" if kind is Kind.BYTES else "farm_fingerprint", value)


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
    return call("octet_length" if kind_of(node.this) is Kind.BYTES else "length", node.this)


def byte_length(node: exp.ByteLength) -> exp.Expr:
    return call("octet_length" if kind_of(node.this) is Kind.BYTES else "strlen", node.this)


def substring(node: exp.Substring) -> exp.Expr:
    count = node.args.get("length")
    start = node.args["start"]
    return call("bq_substr_of", node.this, start, count) if count else call("bq_substr", node.this, start)


def trim(node: exp.Trim) -> exp.Expr:
    name = _SIDES[str(node.args.get("position") or "")]
    characters = node.args.get("expression")
    # Without characters, all white space of Unicode goes there; DuckDB takes spaces alone.
    return call(name, node.this, characters) if characters else call(f"bq_{name}", node.this)


def pad(node: exp.Pad) -> exp.Expr:
    name = "lpad" if node.args["is_left"] else "rpad"
    width = cast(_count(node.expression, name.upper()), "INTEGER")
    return call(name, node.this, width, node.args.get("fill_pattern") or " ")


def digest(node: exp.SHA2Digest) -> exp.Expr:
    """BYTES there, hexadecimal text in DuckDB."""
    name = _DIGESTS.get(node.args["length"].name)
    if name is None:
        raise unsupported("SHA512")
    return call("unhex", call(name, node.this))


def regexp_extract(node: exp.RegexpExtract) -> exp.Expr:
    """The group if there is one, else all that matches; NULL where nothing does."""
    pattern = node.expression
    if not isinstance(pattern, exp.Literal):
        raise unsupported("REGEXP_EXTRACT with a pattern that is not a literal")
    return call("bq_regexp_extract", node.this, pattern, 1 if _has_group(pattern.name) else 0)


def _has_group(pattern: str) -> bool:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise unsupported(f"the pattern {pattern!r}: {error}") from error
    if groups > 1:
        raise unsupported("REGEXP_EXTRACT with more than one group, which the service refuses, too")
    return bool(groups)


def regexp_replace(node: exp.RegexpReplace) -> exp.Expr:
    return call("regexp_replace", node.this, node.expression, node.args["replacement"], "g")


REWRITES: Rewrites = {
    exp.ByteLength: byte_length,
    exp.Concat: concat,
    exp.EndsWith: _as("ends_with", "expression"),
    exp.FarmFingerprint: fingerprint,
    exp.FromBase64: _as("from_base64"),
    exp.Left: _counted("left", "expression"),
    exp.Length: length,
    exp.Lower: _as("lower"),
    exp.LowerHex: lambda node: call("lower", call("hex", node.this)),
    exp.MD5Digest: lambda node: call("unhex", call("md5", node.this)),
    exp.Pad: pad,
    exp.RegexpExtract: regexp_extract,
    exp.RegexpLike: _as("regexp_matches", "expression"),
    exp.RegexpReplace: regexp_replace,
    exp.Repeat: _counted("repeat", "times"),
    exp.Replace: _as("replace", "expression", "replacement"),
    exp.Reverse: _as("reverse"),
    exp.Right: _counted("right", "expression"),
    exp.SHA2Digest: digest,
    exp.Split: _as("string_split", "expression"),
    exp.StartsWith: _as("starts_with", "expression"),
    exp.StrPosition: _as("strpos", "substr"),
    exp.Substring: substring,
    exp.ToBase64: _as("to_base64"),
    exp.Trim: trim,
    exp.Unhex: _as("unhex"),
    exp.Upper: _as("upper"),
    exp.Uuid: lambda _: cast(call("uuid"), "VARCHAR"),
}
