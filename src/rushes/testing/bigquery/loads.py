"""Load jobs: records in lines of JSON, sent with the job."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rushes.testing.bigquery.catalog import Catalog, Table, TableName
from rushes.testing.bigquery.clock import Clock
from rushes.testing.bigquery.detecting import detect_fields
from rushes.testing.bigquery.engine import Engine
from rushes.testing.bigquery.fields import Field, find, read_schema
from rushes.testing.bigquery.jobs import Job
from rushes.testing.bigquery.limits import Limits, LoadQuota
from rushes.testing.bigquery.refusals import Refusal, duplicate, not_found, unsupported
from rushes.testing.bigquery.rows import BadValue, RecordReader, append

_OPTIONS = frozenset({
    "destinationTable", "schema", "sourceFormat", "createDisposition", "writeDisposition", "autodetect", "maxBadRecords",
    "ignoreUnknownValues", "timePartitioning", "rangePartitioning", "clustering", "schemaUpdateOptions", "encoding",
})  # fmt: skip
_LAYOUT = ("timePartitioning", "rangePartitioning", "clustering")
_PREFIX = "Error while reading data, error message: "


@dataclass(slots=True)
class _Read:
    """What the lines hold."""

    records: list[dict[str, Any]] = field(default_factory=list)
    errors: list[Refusal] = field(default_factory=list)
    rows: int = 0


class Loads:
    """Runs load jobs."""

    def __init__(self, engine: Engine, catalog: Catalog, clock: Clock, limits: Limits) -> None:
        self._engine = engine
        self._catalog = catalog
        self._clock = clock
        self._quota = LoadQuota(limits)

    def run(self, job: Job, work: Callable[[], None]) -> None:
        """Raises: Refusal (the lines or the table do not fit)."""
        load: Mapping[str, Any] = job.configuration["load"]
        _check_options(load)
        job.begin(self._clock.now())
        work()
        name = TableName.read(load["destinationTable"], job.project)
        with self._engine.writing:
            self._quota.count(name, self._clock.now().date())
            job.statistics.input_bytes = len(job.data)
            self._load(job, load, name)

    def _load(self, job: Job, load: Mapping[str, Any], name: TableName) -> None:
        table = self._catalog.find(name)
        disposition = load.get("writeDisposition") or "WRITE_APPEND"
        if table is None and load.get("createDisposition") == "CREATE_NEVER":
            raise not_found("Table", str(name))
        if table is not None and disposition == "WRITE_EMPTY" and self._engine.count(table.stored_as):
            raise duplicate("Table", str(name))
        replaces = table is not None and disposition == "WRITE_TRUNCATE"
        fields = self._fields(job, load, None if replaces else table) or (table.fields if table else ())
        if not fields:
            raise Refusal("invalid", "No schema specified on job or table.")
        read = self._read(job, load, fields)
        if replaces and table is not None:
            self._replace(table, fields)
        elif table is None:
            details = {key: load[key] for key in _LAYOUT if load.get(key)}
            table = self._catalog.create(name, fields, details)
        assert table is not None
        self._add_columns(table, fields)
        job.statistics.output_rows = append(self._engine, table.stored_as, fields, read.records)
        self._catalog.changed(table)

    def _fields(self, job: Job, load: Mapping[str, Any], table: Table | None) -> tuple[Field, ...]:
        """The columns that are loaded into."""
        given = read_schema(load.get("schema"))
        if not given and load.get("autodetect") and table is None:
            return detect_fields(job.data)
        if table is None or not given:
            return given
        for one in given:
            known = table.column(one.name)
            if known is None and "ALLOW_FIELD_ADDITION" not in (load.get("schemaUpdateOptions") or ()):
                raise Refusal(
                    "invalid",
                    f"Provided Schema does not match Table {table.name}. Cannot add fields (field: {one.name})",
                )
            if known is not None and (known.kind, known.repeated) != (one.kind, one.repeated):
                raise Refusal(
                    "invalid", f"Provided Schema does not match Table {table.name}. Field {one.name} has changed type"
                    f" from {known.kind} to {one.kind}",
                )  # fmt: skip
        added = [one for one in given if table.column(one.name) is None]
        return (*table.fields, *added)

    def _add_columns(self, table: Table, fields: tuple[Field, ...]) -> None:
        for one in fields:
            if find(table.fields, one.name) is None:
                self._engine.add_column(table.stored_as, one)
                table.fields = (*table.fields, one)

    def _replace(self, table: Table, fields: tuple[Field, ...]) -> None:
        self._engine.drop(table.stored_as)
        self._engine.create(table.stored_as, fields)
        table.fields = fields
        table.streamed.clear()

    def _read(self, job: Job, load: Mapping[str, Any], fields: tuple[Field, ...]) -> _Read:
        reader = RecordReader(fields, ignore_unknown=bool(load.get("ignoreUnknownValues")))
        read = _Read()
        at = 0
        for line in job.data.split(b"\n"):
            if line.strip():
                read.rows += 1
                _read_line(line, at, reader, read)
            at += len(line) + 1
        job.statistics.bad_records = len(read.errors)
        if len(read.errors) > int(load.get("maxBadRecords") or 0):
            raise Refusal(
                "invalid", f"{_PREFIX}JSON table encountered too many errors, giving up. Rows: {read.rows};"
                f" errors: {len(read.errors)}. Please look into the errors[] collection for more details.",
                others=tuple(read.errors[:5]),
            )  # fmt: skip
        return read


def _read_line(line: bytes, at: int, reader: RecordReader, read: _Read) -> None:
    try:
        read.records.append(reader.read(json.loads(line)))
    except (BadValue, ValueError) as error:
        said = str(error) if isinstance(error, BadValue) else "Parser terminated before end of string"
        where = error.field if isinstance(error, BadValue) else None
        read.errors.append(
            Refusal("invalid", f"{_PREFIX}JSON parsing error in row starting at position {at}: {said}", location=where)
        )


def _check_options(load: Mapping[str, Any]) -> None:
    """Raises: Refusal (the job asks for what this server does not do)."""
    if load.get("sourceUris"):
        raise unsupported("loading from Cloud Storage")
    if load.get("sourceFormat") != "NEWLINE_DELIMITED_JSON":
        raise unsupported(f"loading {load.get('sourceFormat') or 'CSV'}: send NEWLINE_DELIMITED_JSON")
    if wanted := [name for name, value in load.items() if value and name not in _OPTIONS]:
        raise unsupported(f"load jobs with {', '.join(wanted)}")
