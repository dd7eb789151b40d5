"""INSERT, UPDATE, DELETE and TRUNCATE, ready to run.

Each is looked at as the query that finds what it needs, so that names and types are told in one way for all statements; its
parts then stand in DuckDB's statement.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from rushes.testing.bigquery.catalog import Table
from rushes.testing.bigquery.fields import Field, quoted
from rushes.testing.bigquery.refusals import Refusal, unsupported
from rushes.testing.bigquery.sql.assigning import assigned, check_assignable
from rushes.testing.bigquery.sql.building import field_of
from rushes.testing.bigquery.sql.compiling import Compiled, Compiler
from rushes.testing.bigquery.sql.writing import written


def compile_update(compiler: Compiler, tree: exp.Update) -> Compiled:
    """Raises: Refusal (it has no WHERE, sets what is no column, or to what does not fit)."""
    update = compiler.begin(tree)
    assert isinstance(update, exp.Update)
    where = required_where(update, "UPDATE")
    target = update.this
    table = compiler.tables[target.name]
    columns = [set_column(one, target, table) for one in update.expressions]
    refuse_doubled(columns, "Update item {} assigned more than once")
    probe = exp.select(*[numbered(index, one.expression) for index, one in enumerate(update.expressions)], copy=False)
    probe.set("from_", exp.From(this=target))
    probe.set("joins", _joins(update))
    probe.set("where", where)
    typed = compiler.typed(probe)
    for value, column in zip(typed.selects, columns, strict=True):
        check_assignable(value.unalias(), column, inserted=False)
    made = compiler.rewritten(typed)
    sets = ", ".join(
        f"{quoted(column.name)} = {written(assigned(value.unalias(), column))}"
        for value, column in zip(made.selects, columns, strict=True)
    )
    source = source_text(made)
    condition = written(made.args["where"])
    text = f"UPDATE {written(made.args['from_'].this)} SET {sets}{f' FROM {source}' if source else ''} {condition}"  # noqa: S608  (built from a parsed statement)
    doubles = doubles_query(made, None) if source else None
    return compiler.compiled(text, target=table, rewrites_target=True, doubles=doubles)


def compile_delete(compiler: Compiler, tree: exp.Delete) -> Compiled:
    """Raises: Refusal (it has no WHERE)."""
    delete = compiler.begin(tree)
    target = delete.this or delete.args["tables"][0]
    probe = exp.Select(expressions=[numbered(0, exp.Literal.number(1))])
    probe.set("where", required_where(delete, "DELETE"))
    probe.set("from_", exp.From(this=target))
    made = compiler.rewritten(compiler.typed(probe))
    text = f"DELETE {written(made.args['from_'])} {written(made.args['where'])}"
    return compiler.compiled(text, target=compiler.tables[target.name], rewrites_target=True)


def compile_insert(compiler: Compiler, tree: exp.Insert) -> Compiled:
    """Raises: Refusal (columns or their number are wrong, or a value does not fit)."""
    insert = compiler.begin(tree)
    target = insert.this.this if isinstance(insert.this, exp.Schema) else insert.this
    table = compiler.tables[target.name]
    named = insert.this.expressions if isinstance(insert.this, exp.Schema) else ()
    columns = [column_of(table, one.name) for one in named] or list(table.fields)
    refuse_doubled(columns, "INSERT has columns with duplicate name: {}")
    names = ", ".join(quoted(column.name) for column in columns)
    source = insert.expression
    rows = (
        _value_rows(compiler, source, columns)
        if isinstance(source, exp.Values)
        else _queried(compiler, source, columns)
    )
    return compiler.compiled(f"INSERT INTO {table.stored_as} ({names}) {rows}", target=table)


def compile_truncate(compiler: Compiler, tree: exp.TruncateTable) -> Compiled:
    truncate = compiler.begin(tree)
    table = compiler.tables[truncate.expressions[0].name]
    return compiler.compiled(f"DELETE FROM {table.stored_as}", target=table)  # noqa: S608  (a name of ours)


def required_where(tree: exp.Expr, kind: str) -> exp.Expr:
    where = tree.args.get("where")
    if not isinstance(where, exp.Where):
        raise Refusal("invalidQuery", f"{kind} must have a WHERE clause", location="query")
    return where


def numbered(index: int, value: exp.Expr) -> exp.Expr:
    """A column of a probe."""
    return exp.Alias(this=value, alias=exp.to_identifier(f"v{index}"))


def column_of(table: Table, name: str) -> Field:
    """Raises: Refusal (the table has no such column)."""
    column = table.column(name)
    if column is None:
        raise Refusal("invalidQuery", f"Column {name} is not present in table {table.name.dotted}", location="query")
    return column


def refuse_doubled(columns: Sequence[Field], message: str) -> None:
    """Raises: Refusal (a column is named twice)."""
    names = [column.name for column in columns]
    if doubled := next((name for name in names if names.count(name) > 1), None):
        raise Refusal("invalidQuery", message.format(doubled), location="query")


def set_column(assignment: exp.Expr, target: exp.Expr, table: Table) -> Field:
    """The column that an assignment sets."""
    column = assignment.this
    if not isinstance(column, exp.Column) or (column.table and column.table.lower() != target.alias_or_name.lower()):
        raise unsupported(f"setting a part of a column: {assignment.sql('bigquery')[:80]}")
    return column_of(table, column.name)


def default_or(value: exp.Expr) -> exp.Expr:
    """The value, or NULL for DEFAULT: columns here have no other."""
    return exp.null() if isinstance(value, exp.Var) and value.name.upper() == "DEFAULT" else value


def doubles_query(made: exp.Query, condition: str | None) -> str:
    """Finds a row of the target that is joined more than once, where that condition holds."""
    target = made.args["from_"].this
    found = exp.Select(
        expressions=[exp.Literal.number(1)],
        from_=made.args["from_"].copy(),
        joins=[join.copy() for join in made.args.get("joins") or ()],
        where=made.args["where"].copy() if made.args.get("where") else None,
    )
    text = written(found) + (f" WHERE {condition}" if condition else "")
    return f"{text} GROUP BY {quoted(target.alias_or_name)}.rowid HAVING count(*) > 1 LIMIT 1"


def source_text(made: exp.Query) -> str:
    """What an UPDATE is joined with."""
    joins = made.args.get("joins") or []
    if not joins:
        return ""
    first, *others = joins
    return " ".join([written(first.this), *(written(join) for join in others)])


def _joins(update: exp.Update) -> list[exp.Expr]:
    clause = update.args.get("from_")
    if clause is None:
        return []
    first = clause.this
    others = first.args.pop("joins", None) or []
    return [exp.Join(this=first, kind="CROSS"), *others, *(clause.args.get("joins") or [])]


def _value_rows(compiler: Compiler, values: exp.Values, columns: Sequence[Field]) -> str:
    rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in values.expressions]
    for row in rows:
        _check_count(len(row), len(columns))
    flat = [default_or(value) for row in rows for value in row]
    typed = compiler.typed(exp.Select(expressions=[numbered(index, value) for index, value in enumerate(flat)]))
    for index, value in enumerate(typed.selects):
        check_assignable(value.unalias(), columns[index % len(columns)], inserted=True)
    made = [value.unalias() for value in compiler.rewritten(typed).selects]
    texts = [written(assigned(value, columns[index % len(columns)])) for index, value in enumerate(made)]
    width = len(columns)
    lines = (f"({', '.join(texts[at : at + width])})" for at in range(0, len(texts), width))
    return f"VALUES {', '.join(lines)}"


def _queried(compiler: Compiler, query: exp.Expr, columns: Sequence[Field]) -> str:
    assert isinstance(query, exp.Query)
    typed = compiler.typed(query)
    _check_count(len(typed.selects), len(columns))
    for value, column in zip(typed.selects, columns, strict=True):
        check_assignable(value.unalias(), column, inserted=True)
    sources = [field_of(value.unalias()) for value in typed.selects]
    inner = written(compiler.rewritten(typed))
    named = [exp.column(f"c{index}", quoted=True) for index in range(len(columns))]
    outer = ", ".join(
        written(assigned(value, column, source)) for value, column, source in zip(named, columns, sources, strict=True)
    )
    names = ", ".join(written(value) for value in named)
    return f"SELECT {outer} FROM ({inner}) AS _rows({names})"  # noqa: S608  (built from a parsed statement)


def _check_count(given: int, wanted: int) -> None:
    if given != wanted:
        raise Refusal(
            "invalidQuery", f"Inserted row has wrong column count; Has {given}, expected {wanted}", location="query"
        )
