"""MERGE, ready to run.

Its clauses see different rows: WHEN MATCHED those of both tables, WHEN NOT MATCHED those of the source alone, and WHEN NOT
MATCHED BY SOURCE those of the target alone. So there is a probe for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from rushes.testing.bigquery.catalog import Table
from rushes.testing.bigquery.fields import Field, quoted
from rushes.testing.bigquery.refusals import Refusal
from rushes.testing.bigquery.sql.assigning import assigned, check_assignable
from rushes.testing.bigquery.sql.changes import (
    column_of,
    default_or,
    doubles_query,
    numbered,
    refuse_doubled,
    set_column,
)
from rushes.testing.bigquery.sql.compiling import Compiled, Compiler
from rushes.testing.bigquery.sql.writing import written


@dataclass(slots=True)
class _Clause:
    """A WHEN clause: the columns it sets, and its values; the condition comes last among them, if there is one."""

    when: exp.When
    columns: list[Field] = field(default_factory=list)
    values: list[exp.Expr] = field(default_factory=list)
    made: list[str] = field(default_factory=list)

    @property
    def conditional(self) -> bool:
        return self.when.args.get("condition") is not None

    @property
    def matched(self) -> bool:
        return bool(self.when.args["matched"])

    @property
    def by_source(self) -> bool:
        return bool(self.when.args.get("source"))

    @property
    def inserts(self) -> bool:
        return isinstance(self.when.args["then"], exp.Insert)


def compile_merge(compiler: Compiler, tree: exp.Merge) -> Compiled:
    """Raises: Refusal (a name or a value in it is wrong)."""
    merge = compiler.begin(tree)
    target, source = merge.this, merge.args["using"]
    table = compiler.tables[target.name]
    clauses = [_clause(when, target, source, table) for when in merge.args["whens"].expressions]
    both = _both(target, source, merge.args["on"])
    made = _fill(compiler, both, [one for one in clauses if one.matched])
    _fill(compiler, _alone(source), [one for one in clauses if not one.matched and not one.by_source])
    _fill(compiler, _alone(target), [one for one in clauses if one.by_source])
    join = made.args["joins"][0]
    text = (
        f"MERGE INTO {written(made.args['from_'].this)} USING {written(join.this)} ON {written(join.args['on'])} "
        + " ".join(_when(one) for one in clauses)
    )
    changing = [one for one in clauses if one.matched]
    condition = " OR ".join(f"({one.made[-1]})" if one.conditional else "TRUE" for one in changing)
    return compiler.compiled(
        f"{text} RETURNING merge_action",
        target=table,
        rewrites_target=any(not one.inserts for one in clauses),
        doubles=doubles_query(made, condition) if changing else None,
    )


def _both(target: exp.Expr, source: exp.Expr, on: exp.Expr) -> exp.Select:
    join = exp.Join(this=source.copy(), on=on)
    return exp.Select(expressions=[], from_=exp.From(this=target.copy()), joins=[join])


def _alone(table: exp.Expr) -> exp.Select:
    return exp.Select(expressions=[], from_=exp.From(this=table.copy()))


def _fill(compiler: Compiler, probe: exp.Select, clauses: Sequence[_Clause]) -> exp.Query:
    """Write the clauses' values in the sight of a probe's tables. Returns the probe in DuckDB's words."""
    values = [value for one in clauses for value in one.values] or [exp.Literal.number(1)]
    probe.set("expressions", [numbered(index, value) for index, value in enumerate(values)])
    typed = compiler.typed(probe)
    at = 0
    for one in clauses:
        for value, column in zip(typed.selects[at:], one.columns, strict=False):
            check_assignable(value.unalias(), column, inserted=one.inserts)
        at += len(one.values)
    made = compiler.rewritten(typed)
    rest = [value.unalias() for value in made.selects]
    for one in clauses:
        mine, rest = rest[: len(one.values)], rest[len(one.values) :]
        settings = [written(assigned(value, column)) for value, column in zip(mine, one.columns, strict=False)]
        one.made = settings + [written(value) for value in mine[len(one.columns) :]]
    return made


def _clause(when: exp.When, target: exp.Expr, source: exp.Expr, table: Table) -> _Clause:
    then = when.args["then"]
    made = _Clause(when)
    if isinstance(then, exp.Update):
        made.columns = [set_column(one, target, table) for one in then.expressions]
        made.values = [default_or(one.expression) for one in then.expressions]
    elif isinstance(then, exp.Insert):
        made.columns, made.values = _insertion(then, source, table)
    refuse_doubled(made.columns, "Column {} is set more than once")
    if made.conditional:
        made.values.append(when.args["condition"])
    return made


def _insertion(insert: exp.Insert, source: exp.Expr, table: Table) -> tuple[list[Field], list[exp.Expr]]:
    if isinstance(insert.this, exp.Var):  # INSERT ROW
        name = source.alias_or_name
        return list(table.fields), [exp.column(one.name, table=name, quoted=True) for one in table.fields]
    columns = [column_of(table, one.name) for one in insert.this.expressions] if insert.this else list(table.fields)
    values = [default_or(one) for one in insert.expression.expressions]
    if len(values) != len(columns):
        raise Refusal(
            "invalidQuery", f"Inserted row has wrong column count; Has {len(values)}, expected {len(columns)}",
            location="query",
        )  # fmt: skip
    return columns, values


def _when(clause: _Clause) -> str:
    who = "MATCHED" if clause.matched else "NOT MATCHED BY SOURCE" if clause.by_source else "NOT MATCHED BY TARGET"
    condition = f" AND {clause.made[-1]}" if clause.conditional else ""
    return f"WHEN {who}{condition} THEN {_action(clause)}"


def _action(clause: _Clause) -> str:
    names = [quoted(column.name) for column in clause.columns]
    if clause.inserts:
        return f"INSERT ({', '.join(names)}) VALUES ({', '.join(clause.made[: len(names)])})"  # noqa: S608  (quoted, written)
    if not names:
        return "DELETE"
    sets = ", ".join(f"{name} = {value}" for name, value in zip(names, clause.made, strict=False))
    return f"UPDATE SET {sets}"
