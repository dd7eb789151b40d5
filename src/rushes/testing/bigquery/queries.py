"""Running a query job: what it reads is weighed, what it changes changes at once, and what it finds is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection
from sqlglot import exp

from rushes.testing.bigquery.billing import Meter, billed, check_ceiling
from rushes.testing.bigquery.catalog import Catalog, Table
from rushes.testing.bigquery.cells import rows_in_api
from rushes.testing.bigquery.clock import Clock
from rushes.testing.bigquery.definitions import Definitions
from rushes.testing.bigquery.engine import Engine
from rushes.testing.bigquery.failures import refusal_of
from rushes.testing.bigquery.fields import Field, fields_of_result
from rushes.testing.bigquery.filling import write_to_destination
from rushes.testing.bigquery.jobs import Changed, Job
from rushes.testing.bigquery.limits import Limits, Turns
from rushes.testing.bigquery.refusals import Refusal, unsupported
from rushes.testing.bigquery.sql.changes import compile_delete, compile_insert, compile_truncate, compile_update
from rushes.testing.bigquery.sql.compiling import Compiled, Compiler, values_in
from rushes.testing.bigquery.sql.merging import compile_merge
from rushes.testing.bigquery.sql.naming import Place
from rushes.testing.bigquery.sql.parsing import MUTATING
from rushes.testing.bigquery.streaming import check_nothing_streams

Work = Callable[[], None]
"""A job's time passes in it: latency, delays and holds."""
_COMPILERS: dict[str, Callable[[Compiler, Any], Compiled]] = {
    "DELETE": compile_delete,
    "INSERT": compile_insert,
    "MERGE": compile_merge,
    "SELECT": Compiler.query,
    "TRUNCATE_TABLE": compile_truncate,
    "UPDATE": compile_update,
}
_OPTIONS = frozenset({
    "query", "queryParameters", "parameterMode", "defaultDataset", "useLegacySql", "useQueryCache", "maximumBytesBilled",
    "priority", "allowLargeResults", "flattenResults", "createDisposition", "writeDisposition", "destinationTable",
})  # fmt: skip
"""What of a query's configuration is understood, or changes nothing here."""


class Queries:
    """Runs query jobs."""

    def __init__(self, engine: Engine, catalog: Catalog, clock: Clock, meter: Meter, limits: Limits) -> None:
        self._engine = engine
        self._catalog = catalog
        self._clock = clock
        self._limits = limits
        self._turns = Turns(limits)
        self._meter = meter

    def run(self, job: Job, work: Work) -> None:
        """Raises: Refusal (the statement fails, or is not supported)."""
        assert job.statement is not None
        _check_options(job)
        if job.kind in MUTATING:
            self._change_in_turn(job, work)
            return
        job.begin(self._clock.now())
        work()
        if job.kind == "SELECT":
            self._select(job)
        elif job.kind in _COMPILERS:
            self._change(job)
        else:
            self._define(job)

    def dry_run(self, job: Job) -> None:
        """Weigh a statement without running it.

        Raises:
            Refusal: it would fail.
        """
        assert job.statement is not None
        _check_options(job)
        if job.kind not in _COMPILERS:
            return
        compiled = self._compile(job)
        self._weigh(job, compiled)
        if job.kind == "SELECT":
            with self._engine.cursor() as cursor:
                self._execute(cursor, f"SELECT * FROM ({compiled.text}) LIMIT 0", compiled)  # noqa: S608  (compiled)
                job.fields = _named(fields_of_result(cursor), compiled)

    def _place(self, job: Job) -> Place:
        dataset = job.configuration["query"].get("defaultDataset") or {}
        return Place(dataset.get("projectId") or job.project, dataset.get("datasetId"), job.location)

    def _compiler(self, job: Job) -> Compiler:
        return Compiler(self._catalog, self._place(job), job.parameters, self._clock.now())

    def _compile(self, job: Job) -> Compiled:
        assert job.statement is not None
        return _COMPILERS[job.kind](self._compiler(job), job.statement.tree)

    def _define(self, job: Job) -> None:
        assert job.statement is not None
        with self._engine.writing:
            definitions = Definitions(
                self._engine,
                self._catalog,
                self._place(job),
                lambda: self._compiler(job),
                lambda query: self._weigh(job, query),
            )
            job.statistics.definition = definitions.run(job.statement.tree)

    def _select(self, job: Job) -> None:
        compiled = self._compile(job)
        self._weigh(job, compiled)
        with self._engine.cursor() as cursor:
            if job.configuration["query"].get("destinationTable"):
                rows = self._written(job, compiled, cursor)
            else:
                rows = self._execute(cursor, compiled.text, compiled).fetchall()
            found = fields_of_result(cursor)
        job.rows = list(rows_in_api(found, rows))
        job.fields = _named(found, compiled)

    def _written(self, job: Job, compiled: Compiled, cursor: DuckDBPyConnection) -> list[Any]:
        """The rows of a query that are kept in a table, too."""
        query = job.configuration["query"]
        with self._engine.writing:
            made = write_to_destination(self._engine, self._catalog, query, job.project, compiled)
            rows = cursor.execute(f"SELECT * FROM {made.stored_as}").fetchall()  # noqa: S608  (a name of ours)
            if self._catalog.find(made.name) is not made:
                self._engine.drop(made.stored_as)
            return rows

    def _change_in_turn(self, job: Job, work: Work) -> None:
        """Two at a time on a table; whose table was changed meanwhile runs again, up to three times."""
        table = self._target(job)
        with self._turns.turn(table.name, job):
            job.begin(self._clock.now())
            reruns = self._limits.dml_reruns
            if reruns is None:
                work()
                self._change(job)
                return
            change = self._merge_unless_overtaken if job.kind == "MERGE" else self._change_unless_overtaken
            if not any(change(job, table, work) for _ in range(1 + reruns)):
                raise Refusal(
                    "invalidQuery",
                    f"Could not serialize access to table {table.name} due to concurrent update",
                    location="query",
                )

    def _change_unless_overtaken(self, job: Job, table: Table, work: Work) -> bool:
        before = table.mutations
        work()
        with self._engine.writing:
            if table.mutations != before:
                return False
            self._change(job)
            return True

    def _merge_unless_overtaken(self, job: Job, table: Table, work: Work) -> bool:
        """A MERGE sees the rows that were there when it began, and conflicts only if it changes some of them.

        So two at once that only insert do so both
        (https://cloud.google.com/bigquery/docs/data-manipulation-language#dml_statement_conflicts).
        """
        before = table.mutations
        with self._engine.snapshot() as cursor:
            work()
            with self._engine.writing:
                try:
                    compiled, changed = self._run_change(job, cursor)
                    if changed.mutates and table.mutations != before:
                        return False
                    cursor.execute("COMMIT")
                except duckdb.TransactionException:
                    return False
                self._note_change(job, compiled, changed)
                return True

    def _target(self, job: Job) -> Table:
        assert job.statement is not None
        tree = job.statement.tree
        node = tree.this or tree.args["tables"][0]
        assert isinstance(node, exp.Table)
        return self._catalog.table(self._place(job).name(node), job.location)

    def _change(self, job: Job) -> None:
        with self._engine.writing, self._engine.cursor() as cursor:
            self._note_change(job, *self._run_change(job, cursor))

    def _run_change(self, job: Job, cursor: DuckDBPyConnection) -> tuple[Compiled, Changed]:
        compiled = self._compile(job)
        assert compiled.target is not None
        check_nothing_streams(job.kind, compiled.target, self._clock.now())
        self._weigh(job, compiled)
        if compiled.doubles and self._execute(cursor, compiled.doubles, compiled).fetchone():
            raise Refusal(
                "invalidQuery",
                "UPDATE/MERGE must match at most one source row for each target row",
                location="query",
            )
        return compiled, _changed(job.kind, self._execute(cursor, compiled.text, compiled).fetchall())

    def _note_change(self, job: Job, compiled: Compiled, changed: Changed) -> None:
        assert compiled.target is not None
        job.statistics.changed = changed
        self._catalog.changed(compiled.target)
        if job.kind in MUTATING and (job.kind != "MERGE" or changed.mutates):
            compiled.target.mutations += 1

    def _weigh(self, job: Job, compiled: Compiled) -> None:
        processed = self._meter.processed(compiled)
        job.statistics.tables = tuple(table.name for table in compiled.tables.values())
        job.statistics.bytes_processed = sum(processed.values())
        amount = billed(processed)
        check_ceiling(amount, job.configuration["query"].get("maximumBytesBilled"))
        job.statistics.bytes_billed = 0 if job.dry else amount

    def _execute(self, cursor: DuckDBPyConnection, text: str, compiled: Compiled) -> DuckDBPyConnection:
        values = values_in(text, compiled.values)
        try:
            return cursor.execute(text, values) if values else cursor.execute(text)
        except duckdb.TransactionException:
            raise
        except duckdb.Error as error:
            raise refusal_of(error, compiled) from error


def _check_options(job: Job) -> None:
    """Raises: Refusal (the job asks for what this server does not do)."""
    query = job.configuration["query"]
    if query.get("useLegacySql", True):
        raise unsupported("legacy SQL: set useLegacySql to false")
    if wanted := [name for name, value in query.items() if value and name not in _OPTIONS]:
        raise unsupported(f"queries with {', '.join(wanted)}")


def _named(fields: Sequence[Field], compiled: Compiled) -> tuple[Field, ...]:
    """The columns of a result, under the names that the statement gives them."""
    named = zip(fields, compiled.names, strict=True)
    return tuple(field.named(name).spelled(compiled.spelled) for field, name in named)


def _changed(kind: str, rows: list[Any]) -> Changed:
    if kind == "MERGE":
        actions = Counter(action for (action,) in rows)
        return Changed(actions["INSERT"], actions["UPDATE"], actions["DELETE"])
    count = int(rows[0][0])
    return {
        "INSERT": Changed(inserted=count),
        "UPDATE": Changed(updated=count),
        "DELETE": Changed(deleted=count),
        "TRUNCATE_TABLE": Changed(deleted=count),
    }[kind]
