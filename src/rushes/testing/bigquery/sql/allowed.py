"""What of BigQuery's SQL is translated: each piece, with the parts of it that are. Nothing else gets through.

A piece is a class of the parser's, a part one of its arguments. Some arguments are only the parser's own notes, such as
that a CONCAT is one of BigQuery's; they are listed, too, since an argument that nobody has thought of could mean anything.
"""

from __future__ import annotations

from sqlglot import exp

from rushes.testing.bigquery.refusals import unsupported

_STATEMENTS: dict[type[exp.Expr], str] = {
    exp.Delete: "this tables where",
    exp.Insert: "this expression",
    exp.Merge: "this using on whens",
    exp.TruncateTable: "expressions",
    exp.Update: "this expressions from_ where",
    exp.When: "matched source condition then",
    exp.Whens: "expressions",
    exp.Values: "expressions",
    exp.Schema: "this expressions",
}
_QUERIES: dict[type[exp.Expr], str] = {
    exp.CTE: "this alias",
    exp.Distinct: "expressions",
    exp.Except: "this expression distinct with_ order limit offset",
    exp.From: "this",
    exp.Group: "expressions",
    exp.Having: "this",
    exp.Intersect: "this expression distinct with_ order limit offset",
    exp.Join: "this kind side on using",
    exp.Limit: "this expression",
    exp.Offset: "this expression",
    exp.Order: "this expressions",
    exp.Ordered: "this desc nulls_first",
    exp.Qualify: "this",
    exp.Select: "expressions distinct from_ joins where group having qualify windows order limit offset with_ kind",
    exp.Star: "except_ replace",
    exp.Subquery: "this alias order limit offset with_",
    exp.Table: "this db catalog alias joins",
    exp.TableAlias: "this columns",
    exp.Union: "this expression distinct with_ order limit offset",
    exp.Unnest: "expressions alias offset explode_array",
    exp.Where: "this",
    exp.Window: "this over partition_by order spec alias",
    exp.WindowSpec: "kind start start_side end end_side",
    exp.With: "expressions",
}
_VALUES: dict[type[exp.Expr], str] = {
    exp.Alias: "this alias",
    exp.Array: "expressions struct_name_inheritance",
    exp.Boolean: "this",
    exp.Bracket: "this expressions offset safe",
    exp.ByteString: "this is_bytes",
    exp.Case: "this ifs default",
    exp.Cast: "this to",
    exp.Column: "this table db catalog",
    exp.ColumnDef: "this kind",
    exp.DataType: "this expressions nested",
    exp.Dot: "this expression",
    exp.HexString: "this is_integer",
    exp.Identifier: "this quoted",
    exp.If: "this true false",
    exp.Literal: "this is_string",
    exp.Null: "",
    exp.Parameter: "this",
    exp.Paren: "this",
    exp.Placeholder: "",
    exp.PropertyEQ: "this expression",
    exp.RawString: "this",
    exp.Struct: "expressions",
    exp.TryCast: "this to safe",
    exp.Tuple: "expressions",
    exp.Var: "this",
}
_OPERATORS: dict[type[exp.Expr], str] = {
    exp.Add: "this expression",
    exp.And: "this expression",
    exp.Between: "this low high",
    exp.DPipe: "this expression safe",
    exp.Div: "this expression",
    exp.EQ: "this expression",
    exp.Exists: "this",
    exp.GT: "this expression",
    exp.GTE: "this expression",
    exp.In: "this expressions query unnest",
    exp.Is: "this expression",
    exp.LT: "this expression",
    exp.LTE: "this expression",
    exp.Like: "this expression negate",
    exp.Mul: "this expression",
    exp.NEQ: "this expression",
    exp.Neg: "this",
    exp.Not: "this",
    exp.NullSafeEQ: "this expression",
    exp.NullSafeNEQ: "this expression",
    exp.Or: "this expression",
    exp.Sub: "this expression",
}
_AGGREGATES: dict[type[exp.Expr], str] = {
    exp.AnyValue: "this",
    exp.ApproxDistinct: "this",
    exp.ArrayAgg: "this",
    exp.Avg: "this",
    exp.Count: "this big_int",
    exp.CountIf: "this",
    exp.CumeDist: "",
    exp.DenseRank: "",
    exp.FirstValue: "this",
    exp.GroupConcat: "this separator",
    exp.IgnoreNulls: "this",
    exp.Lag: "this offset default",
    exp.LastValue: "this",
    exp.Lead: "this offset default",
    exp.LogicalAnd: "this",
    exp.LogicalOr: "this",
    exp.Max: "this",
    exp.Min: "this",
    exp.Ntile: "this",
    exp.PercentRank: "",
    exp.Rank: "",
    exp.RowNumber: "",
    exp.Sum: "this",
}
_FUNCTIONS: dict[type[exp.Expr], str] = {
    exp.Abs: "this",
    exp.ArrayConcat: "this expressions",
    exp.ArrayReverse: "this",
    exp.ArraySize: "this",
    exp.ArrayToString: "this expression null",
    exp.ByteLength: "this",
    exp.Ceil: "this",
    exp.Coalesce: "this expressions",
    exp.Concat: "expressions safe",
    exp.CurrentDate: "this",
    exp.CurrentDatetime: "this",
    exp.CurrentTime: "this",
    exp.CurrentTimestamp: "",
    exp.Date: "this zone",
    exp.DateAdd: "this expression unit",
    exp.DateDiff: "this expression unit date_part_boundary",
    exp.DateFromParts: "year month day",
    exp.DateSub: "this expression unit",
    exp.DateTrunc: "this unit zone",
    exp.Datetime: "this expression",
    exp.DatetimeAdd: "this expression unit",
    exp.DatetimeDiff: "this expression unit date_part_boundary",
    exp.DatetimeSub: "this expression unit",
    exp.DatetimeTrunc: "this unit",
    exp.EndsWith: "this expression",
    exp.Exp: "this",
    exp.Extract: "this expression",
    exp.FarmFingerprint: "expressions",
    exp.Floor: "this",
    exp.FromBase64: "this",
    exp.GenerateSeries: "start end step",
    exp.Greatest: "this expressions",
    exp.IntDiv: "this expression",
    exp.JSONExtract: "this expression",
    exp.JSONExtractArray: "this expression",
    exp.JSONExtractScalar: "this expression scalar_only",
    exp.JSONFormat: "this to_json options",
    exp.JSONPath: "expressions",
    exp.JSONPathKey: "this",
    exp.JSONPathRoot: "",
    exp.JSONPathSubscript: "this",
    exp.JSONType: "this",
    exp.JSONValueArray: "this expression",
    exp.Least: "this expressions",
    exp.Left: "this expression",
    exp.Length: "this binary",
    exp.Ln: "this",
    exp.Lower: "this",
    exp.LowerHex: "this",
    exp.MD5: "this",
    exp.MD5Digest: "this",
    exp.Mod: "this expression",
    exp.Nullif: "this expression",
    exp.Pad: "this expression fill_pattern is_left",
    exp.ParseDatetime: "this format default_year",
    exp.ParseJSON: "this is_literal",
    exp.Pow: "this expression",
    exp.Rand: "",
    exp.RegexpExtract: "this expression group null_if_no_match null_if_pos_overflow",
    exp.RegexpLike: "this expression",
    exp.RegexpReplace: "this expression replacement",
    exp.Repeat: "this times",
    exp.Replace: "this expression replacement",
    exp.Reverse: "this",
    exp.Right: "this expression",
    exp.Round: "this decimals",
    exp.SHA2Digest: "this length",
    exp.SafeDivide: "this expression",
    exp.Sign: "this",
    exp.Split: "this expression",
    exp.Sqrt: "this",
    exp.StartsWith: "this expression",
    exp.StrPosition: "this substr",
    exp.StrToDate: "this format default_year",
    exp.StrToTime: "this format default_year",
    exp.Substring: "this start length",
    exp.TimeToStr: "this format",
    exp.Timestamp: "this zone with_tz",
    exp.TimestampAdd: "this expression unit",
    exp.TimestampDiff: "this expression unit",
    exp.TimestampSub: "this expression unit",
    exp.TimestampTrunc: "this unit zone",
    exp.ToBase64: "this",
    exp.Trim: "this expression position",
    exp.Trunc: "this",
    exp.TsOrDsToDate: "this",
    exp.TsOrDsToDatetime: "this",
    exp.TsOrDsToTimestamp: "this",
    exp.Unhex: "this",
    exp.UnixMicros: "this",
    exp.UnixMillis: "this",
    exp.UnixSeconds: "this",
    exp.UnixToTime: "this scale",
    exp.Upper: "this",
    exp.Uuid: "is_string",
}
_WITHOUT_CLASS = frozenset({"ERROR"})
"""Functions for which the parser has no class."""
FUNCTION_NAMES = frozenset(
    """
    ABS ANY_VALUE APPROX_COUNT_DISTINCT ARRAY ARRAY_AGG ARRAY_CONCAT ARRAY_LENGTH ARRAY_REVERSE ARRAY_TO_STRING AVG
    BYTE_LENGTH CEIL CEILING CHARACTER_LENGTH CHAR_LENGTH COALESCE CONCAT COUNT COUNTIF CUME_DIST CURRENT_DATE
    CURRENT_DATETIME CURRENT_TIME CURRENT_TIMESTAMP DATE DATETIME DATETIME_ADD DATETIME_DIFF DATETIME_SUB DATETIME_TRUNC
    DATE_ADD DATE_DIFF DATE_SUB DATE_TRUNC DENSE_RANK DIV ENDS_WITH EXISTS EXP EXTRACT FARM_FINGERPRINT FIRST_VALUE FLOOR
    FORMAT_DATE FORMAT_DATETIME FORMAT_TIMESTAMP FROM_BASE64 FROM_HEX GENERATE_ARRAY GENERATE_UUID GREATEST IF IFNULL
    INSTR JSON_EXTRACT JSON_EXTRACT_ARRAY JSON_EXTRACT_SCALAR JSON_EXTRACT_STRING_ARRAY JSON_QUERY JSON_QUERY_ARRAY
    JSON_TYPE JSON_VALUE JSON_VALUE_ARRAY LAG LAST_VALUE LEAD LEAST LEFT LENGTH LN LOG LOGICAL_AND LOGICAL_OR LOWER LPAD
    LTRIM MAX MD5 MIN MOD NTILE NULLIF OCTET_LENGTH PARSE_DATE PARSE_DATETIME PARSE_JSON PARSE_TIMESTAMP PERCENT_RANK POW
    POWER RAND RANK REGEXP_CONTAINS REGEXP_EXTRACT REGEXP_REPLACE REPEAT REPLACE REVERSE RIGHT ROUND ROW_NUMBER RPAD
    RTRIM SAFE_DIVIDE SHA256 SIGN SPLIT SQRT STARTS_WITH STRING_AGG STRPOS STRUCT SUBSTR SUBSTRING SUM TIMESTAMP
    TIMESTAMP_ADD TIMESTAMP_DIFF TIMESTAMP_MICROS TIMESTAMP_MILLIS TIMESTAMP_SECONDS TIMESTAMP_SUB TIMESTAMP_TRUNC
    TO_BASE64 TO_HEX TO_JSON TO_JSON_STRING TRIM TRUNC UNIX_MICROS UNIX_MILLIS UNIX_SECONDS UPPER
    """.split()  # noqa: SIM905  (words read better as words)
)
"""What the functions are called in BigQuery: the parser knows them by the names of other databases, too."""
_ALLOWED = {
    piece: frozenset(parts.split())
    for pieces in (_STATEMENTS, _QUERIES, _VALUES, _OPERATORS, _AGGREGATES, _FUNCTIONS)
    for piece, parts in pieces.items()
}


def check_allowed(tree: exp.Expr) -> None:
    """Raises: Refusal (there is something in it that is not translated)."""
    for node in tree.walk():
        _check_place(node)
        known = _ALLOWED.get(type(node))
        if known is None and not (isinstance(node, exp.Anonymous) and node.name.upper() in _WITHOUT_CLASS):
            raise unsupported(f"{_name(node)}: {node.sql('bigquery')[:120]}")
        called = node.meta.get("bigquery_name")
        if called is not None and called.upper() not in FUNCTION_NAMES:
            raise unsupported(f"the function {called}")
        said = {part for part, value in node.args.items() if value not in (None, False, [])}
        if known is not None and not said <= known:
            raise unsupported(f"{_name(node)} with {', '.join(sorted(said - known))}: {node.sql('bigquery')[:120]}")


def _check_place(node: exp.Expr) -> None:
    """What is allowed in one place and means something else in another."""
    wrong = (
        (isinstance(node, exp.Parameter) and not isinstance(node.this, exp.Var))
        or (isinstance(node, exp.Tuple) and not isinstance(node.parent, exp.Values | exp.Insert))
        or (isinstance(node, exp.Distinct) and len(node.expressions) > 1)
        or (isinstance(node, exp.Array) and any(isinstance(one, exp.Array) for one in node.expressions))
        or (
            isinstance(node, exp.Select)
            and node.args.get("kind")
            and (node.args["kind"] != "STRUCT" or not node.parent)
        )
    )
    if wrong:
        raise unsupported(f"{_name(node)} here: {node.sql('bigquery')[:120]}")


def _name(node: exp.Expr) -> str:
    if isinstance(node, exp.Anonymous):
        return f"the function {node.name}"
    return f"the function {node.sql_name()}" if isinstance(node, exp.Func) else type(node).__name__
