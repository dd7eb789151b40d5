"""Functions of JSON, and TO_JSON_STRING of anything."""

from __future__ import annotations

from sqlglot import exp

from rushes.testing.bigquery.fields import Field, Kind, quoted
from rushes.testing.bigquery.refusals import unsupported
from rushes.testing.bigquery.sql.building import Rewrites, call, cast, field_of, kind_of, wrong_arguments

_AS_TEXT = {
    Kind.STRING: "CAST(to_json({0}) AS VARCHAR)",
    Kind.BOOLEAN: "CAST({0} AS VARCHAR)",
    Kind.INTEGER: "bq_json_of_int({0})",
    Kind.FLOAT: "bq_json_of_float({0})",
    Kind.NUMERIC: "bq_json_of_numeric({0})",
    Kind.TIMESTAMP: "bq_json_of_timestamp({0})",
    Kind.DATETIME: "bq_json_of_datetime({0})",
    Kind.DATE: "'\"' || CAST({0} AS VARCHAR) || '\"'",
    Kind.TIME: "'\"' || CAST({0} AS VARCHAR) || '\"'",
    Kind.BYTES: "'\"' || to_base64({0}) || '\"'",
    Kind.JSON: "CAST({0} AS VARCHAR)",
}


def parse(node: exp.ParseJSON) -> exp.Expr:
    return cast(call("normal_json", node.this), "JSON")


def path(node: exp.Expr) -> exp.Expr:
    """A path that both read alike: keys and places, no wildcards."""
    if not isinstance(node, exp.JSONPath):
        raise unsupported("a JSON path that is not a literal")
    text = "$"
    for part in node.expressions:
        match part:
            case exp.JSONPathRoot():
                pass
            case exp.JSONPathKey(this=str(key)):
                text += f'."{key}"'
            case exp.JSONPathSubscript(this=int(place)):
                text += f"[{place}]"
            case exp.JSONPathSubscript(this=str(key)):
                text += f'."{key}"'
            case _:
                raise unsupported(f"the JSON path {node.sql('bigquery')}")
    return exp.Literal.string(text)


def scalar(node: exp.JSONExtractScalar) -> exp.Expr:
    return call("bq_json_value", _source(node.this), path(node.expression))


def subtree(node: exp.JSONExtract) -> exp.Expr:
    found = call("bq_json_query", _source(node.this), path(node.expression))
    return cast(found, "JSON" if kind_of(node.this) is Kind.JSON else "VARCHAR")


def subtrees(node: exp.JSONExtractArray) -> exp.Expr:
    found = call("bq_json_query_array", _source(node.this), path(node.expression or _root()))
    return cast(found, "JSON[]" if kind_of(node.this) is Kind.JSON else "VARCHAR[]")


def scalars(node: exp.JSONValueArray) -> exp.Expr:
    return call("bq_json_value_array", _source(node.this), path(node.expression or _root()))


def _root() -> exp.JSONPath:
    return exp.JSONPath(expressions=[exp.JSONPathRoot()])


def _source(node: exp.Expr) -> exp.Expr:
    if kind_of(node) not in {Kind.JSON, Kind.STRING, None}:
        raise wrong_arguments("function JSON_VALUE", node)
    return cast(node, "VARCHAR")


def kind(node: exp.JSONType) -> exp.Expr:
    return call("bq_json_type", cast(node.this, "VARCHAR"))


def to_text(node: exp.JSONFormat) -> exp.Expr:
    """TO_JSON_STRING and TO_JSON: written by type, since DuckDB writes times and numbers in its own way."""
    if node.args.get("options") is not None:
        raise unsupported("TO_JSON_STRING with line breaks, and options of TO_JSON")
    field = field_of(node.this)
    value = node.this.sql(dialect="duckdb")
    if field is None and not isinstance(node.this, exp.Null):
        raise unsupported(f"TO_JSON_STRING of what has no known type: {value[:80]}")
    text = _json_text(value, field) if field else "'null'"
    made = exp.Paren(this=exp.Var(this=text))
    return cast(call("normal_json", made), "JSON") if node.args.get("to_json") else made


def _json_text(value: str, field: Field, depth: int = 0) -> str:
    """DuckDB's expression of the JSON text of a value."""
    if field.repeated:
        each = f"e{depth}"
        texts = f"list_transform({value}, lambda {each}: {_json_text(each, field.element, depth + 1)})"
        return f"coalesce('[' || array_to_string({texts}, ',') || ']', '[]')"
    if field.kind is Kind.RECORD:
        parts = (
            f"to_json('{part.name}') || ':' || {_json_text(f'({value}).{quoted(part.name)}', part, depth + 1)}"
            for part in field.fields
        )
        inner = " || ',' || ".join(parts)
        return f"CASE WHEN {value} IS NULL THEN 'null' ELSE '{{' || {inner} || '}}' END"
    return f"coalesce({_AS_TEXT[field.kind].format(f'({value})')}, 'null')"


REWRITES: Rewrites = {
    exp.JSONExtract: subtree,
    exp.JSONExtractArray: subtrees,
    exp.JSONExtractScalar: scalar,
    exp.JSONFormat: to_text,
    exp.JSONType: kind,
    exp.JSONValueArray: scalars,
    exp.ParseJSON: parse,
}
