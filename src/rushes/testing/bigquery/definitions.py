"""CREATE, ALTER and DROP of tables and datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import duckdb
from sqlglot import exp

from rushes.testing.bigquery.catalog import Catalog, Dataset, Table, TableName
from rushes.testing.bigquery.engine import Engine
from rushes.testing.bigquery.failures import refusal_of
from rushes.testing.bigquery.fields import Field, Mode, checked, field_of_sql, find, quoted
from rushes.testing.bigquery.filling import columns_of, fill
from rushes.testing.bigquery.layouts import column_description, read_layout
from rushes.testing.bigquery.refusals import Refusal, duplicate, unsupported
from rushes.testing.bigquery.sql.compiling import Compiled, Compiler
from rushes.testing.bigquery.sql.naming import Place

Done = tuple[str, TableName]
"""What was done, in the service's word for it, and to which table."""


class Definitions:
    """Runs one DDL statement. Whoever calls holds the engine's lock."""

    def __init__(
        self,
        engine: Engine,
        catalog: Catalog,
        place: Place,
        compiler: Callable[[], Compiler],
        weigh: Callable[[Compiled], None],
    ) -> None:
        """`compiler` gives a new one for each query, `weigh` is told of the query that fills a table."""
        self._engine = engine
        self._catalog = catalog
        self._place = place
        self._compiler = compiler
        self._weigh = weigh

    def run(self, tree: exp.Expr) -> Done | None:
        """Run it. Returns what was done to a table.

        Raises:
            Refusal: it cannot be done, or is not supported.
        """
        if tree.args["kind"] == "SCHEMA":
            self._define_dataset(tree)
            return None
        if isinstance(tree, exp.Create):
            return self._create(tree)
        return self._alter(tree) if isinstance(tree, exp.Alter) else self._drop(tree)

    # Tables

    def _create(self, tree: exp.Create) -> Done:
        _refuse_arguments(tree)
        schema, properties = tree.this, tree.args.get("properties")
        name = self._place.name(schema.this if isinstance(schema, exp.Schema) else schema)
        known = self._catalog.find(name)
        if known is not None and tree.args.get("exists"):
            return "SKIP", name
        if known is not None and not tree.args.get("replace"):
            raise duplicate("Table", str(name))
        layout = read_layout(properties.expressions if properties else (), self._value)
        query = self._compiler().query(tree.expression) if tree.expression else None
        if isinstance(schema, exp.Schema):
            fields = self._columns(schema.expressions)
        elif query is not None:
            fields = columns_of(self._engine, query)
        else:
            raise Refusal("invalidQuery", "CREATE TABLE needs columns or a query", location="query")
        made = self._catalog.build(name, fields, layout.details, layout.expires)
        if query is not None:
            self._weigh(query)
            fill(self._engine, self._catalog, made, query)
        self._catalog.put(made)
        return "CREATE" if known is None else "REPLACE", name

    def _columns(self, definitions: Iterable[exp.Expr]) -> tuple[Field, ...]:
        return checked([self._column(one) for one in definitions])

    def _column(self, definition: exp.Expr) -> Field:
        if not isinstance(definition, exp.ColumnDef) or not isinstance(definition.kind, exp.DataType):
            raise unsupported(f"tables with {definition.sql('bigquery')[:80]}")
        made = field_of_sql(definition.name, definition.kind)
        for constraint in definition.args.get("constraints") or ():
            match constraint.kind:
                case exp.NotNullColumnConstraint():
                    if made.repeated:
                        raise Refusal("invalidQuery", f"NOT NULL cannot be applied to ARRAY field {made.name}")
                    made = replace(made, mode=Mode.REQUIRED)
                case exp.Properties() as options:
                    made = replace(made, description=column_description(options, self._value))
                case other:
                    raise unsupported(f"columns with {other.sql('bigquery')[:80]}")
        return made

    def _alter(self, tree: exp.Alter) -> Done:
        name = self._place.name(tree.this)
        if tree.args.get("exists") and self._catalog.find(name) is None:
            return "SKIP", name
        table = self._catalog.table(name, self._place.location)
        for action in tree.args["actions"]:
            self._alter_one(table, action)
            self._catalog.changed(table)
        return "ALTER", table.name

    def _alter_one(self, table: Table, action: exp.Expr) -> None:
        match action:
            case exp.ColumnDef():
                self._add_column(table, action)
            case exp.Drop() if action.args["kind"] == "COLUMN":
                self._drop_column(table, action.args["tables"][0].name, missing_ok=bool(action.args.get("exists")))
            case exp.AlterColumn() if action.args.get("drop") and action.args.get("allow_null"):
                self._relax(table, action.name)
            case exp.RenameColumn():
                self._rename_column(table, action.this.name, action.args["to"].name)
            case exp.AlterRename():
                self._catalog.rename(table, action.this.name)
            case exp.AlterSet():
                self._set_options(table, action)
            case _:
                raise unsupported(f"ALTER TABLE {action.sql('bigquery')[:80]}")

    def _add_column(self, table: Table, definition: exp.ColumnDef) -> None:
        made = self._column(definition)
        if table.column(made.name) is not None:
            if definition.args.get("exists"):
                return
            raise Refusal("invalidQuery", f"Column already exists: {made.name}", location="query")
        if made.required:
            raise Refusal(
                "invalidQuery", f"Column {made.name} cannot be REQUIRED: the table exists already", location="query"
            )
        checked([made])
        self._engine.add_column(table.stored_as, made)
        table.fields = (*table.fields, made)

    def _drop_column(self, table: Table, name: str, *, missing_ok: bool) -> None:
        column = table.column(name)
        if column is None and missing_ok:
            return
        if column is None:
            raise Refusal("invalidQuery", f"Column not found: {name}", location="query")
        if len(table.fields) == 1:
            raise unsupported("dropping a table's only column")
        self._engine.execute(f"ALTER TABLE {table.stored_as} DROP COLUMN {quoted(column.name)}")
        table.fields = tuple(one for one in table.fields if one is not column)

    def _relax(self, table: Table, name: str) -> None:
        column = self._known_column(table, name)
        self._engine.execute(f"ALTER TABLE {table.stored_as} ALTER COLUMN {quoted(column.name)} DROP NOT NULL")
        table.fields = tuple(replace(one, mode=Mode.NULLABLE) if one is column else one for one in table.fields)

    def _rename_column(self, table: Table, old: str, new: str) -> None:
        column = self._known_column(table, old)
        checked([column.named(new)])
        if find(table.fields, new) is not None:
            raise Refusal("invalidQuery", f"Column already exists: {new}", location="query")
        self._engine.execute(f"ALTER TABLE {table.stored_as} RENAME COLUMN {quoted(column.name)} TO {quoted(new)}")
        table.fields = tuple(one.named(new) if one is column else one for one in table.fields)

    def _known_column(self, table: Table, name: str) -> Field:
        column = table.column(name)
        if column is None:
            raise Refusal("invalidQuery", f"Column not found: {name}", location="query")
        return column

    def _set_options(self, table: Table, action: exp.AlterSet) -> None:
        options = [one for group in action.expressions for one in group.expressions]
        layout = read_layout(options, self._value)
        table.details |= layout.details
        for key in layout.removed:
            table.details.pop(key, None)
        if layout.sets_expiry:
            table.expires = layout.expires

    def _drop(self, tree: exp.Expr) -> Done:
        name = self._place.name(tree.args["tables"][0])
        if tree.args.get("exists") and self._catalog.find(name) is None:
            return "SKIP", name
        self._catalog.drop(self._catalog.table(name, self._place.location))
        return "DROP", name

    # Datasets

    def _define_dataset(self, tree: exp.Expr) -> None:
        node = tree.this if isinstance(tree, exp.Create) else tree.args["tables"][0]
        project = node.catalog or self._place.project
        known = next((one for one in self._catalog.datasets(project) if one.name == node.db), None)
        if isinstance(tree, exp.Create):
            if known is None or not tree.args.get("exists"):
                self._create_dataset(tree, project, node.db)
        elif isinstance(tree, exp.Drop):
            self._drop_dataset(tree, known, f"{project}:{node.db}")
        else:
            raise unsupported("ALTER SCHEMA")

    def _create_dataset(self, tree: exp.Create, project: str, name: str) -> None:
        properties = tree.args.get("properties")
        location, details = None, {}
        for one in properties.expressions if properties else ():
            if isinstance(one, exp.LocationProperty):
                location = one.this.name
            elif one.name.lower() == "description":
                details["description"] = self._value(one.args["value"])
            else:
                raise unsupported(f"the dataset option {one.name}")
        self._catalog.create_dataset(project, name, location or self._place.location, details)

    def _drop_dataset(self, tree: exp.Drop, known: Dataset | None, name: str) -> None:
        if known is not None:
            self._catalog.delete_dataset(known, contents=bool(tree.args.get("cascade")))
        elif not tree.args.get("exists"):
            raise Refusal("notFound", f"Not found: Dataset {name}")

    # Values

    def _value(self, value: exp.Expr) -> Any:
        """The value of an option, which may be an expression."""
        query = self._compiler().query(exp.select(value.copy()))
        try:
            with self._engine.cursor() as cursor:
                (row,) = cursor.execute(query.text, query.values or None).fetchall()
        except duckdb.Error as error:
            raise refusal_of(error, query) from error
        return row[0]


def _refuse_arguments(tree: exp.Create) -> None:
    """Raises: Refusal (it is said more than is understood, such as CLONE or TEMP)."""
    known = {"this", "kind", "expression", "exists", "replace", "properties"}
    said = [name for name, value in tree.args.items() if value and name not in known]
    properties = tree.args.get("properties")
    if said or any(isinstance(one, exp.TemporaryProperty) for one in (properties.expressions if properties else ())):
        raise unsupported(f"the statement {tree.sql('bigquery')[:120]}")
