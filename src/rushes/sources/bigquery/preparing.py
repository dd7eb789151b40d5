"""What is done before any work: the client, the tables, and whether everything that will be asked may be asked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rushes.errors import SettingsError
from rushes.sources.bigquery import columns
from rushes.sources.bigquery.columns import ALWAYS, Column
from rushes.sources.bigquery.elections import Elections
from rushes.sources.bigquery.faults import Refused
from rushes.sources.bigquery.service import Service, Statement, partitioning
from rushes.sources.bigquery.staging import KEPT, SCHEMA, STAGED_AT
from rushes.sources.bigquery.tables import (
    Tables,
    adding_columns,
    check_required,
    check_source,
    check_target,
    missing_columns,
    types_of,
)

if TYPE_CHECKING:
    from google.cloud import bigquery

EMULATOR = "BIGQUERY_EMULATOR_HOST"


def connect(project: str) -> bigquery.Client:
    """A client: of the service, or of a server that stands in for it, which wants no credentials.

    Raises:
        SettingsError: the package is missing, or there are no credentials.
    """
    try:
        from google.api_core.client_info import ClientInfo
        from google.auth.credentials import AnonymousCredentials
        from google.auth.exceptions import DefaultCredentialsError
        from google.cloud import bigquery
    except ImportError as error:
        raise SettingsError(
            "the source bigquery needs google-cloud-bigquery", remedy="pip install 'rushes[bigquery]'"
        ) from error
    instead = os.environ.get(EMULATOR)
    if instead:
        address = instead if "://" in instead else f"http://{instead}"
        anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call]  # google-auth has types for some of it
        return bigquery.Client(project, anonymous, client_options={"api_endpoint": address})
    try:
        ours = ClientInfo(user_agent="rushes")  # type: ignore[no-untyped-call]  # neither has google-api-core
        return bigquery.Client(project, client_info=ours)
    except DefaultCredentialsError as error:
        raise SettingsError(
            "there are no credentials for Google Cloud here",
            remedy="`gcloud auth application-default login`, GOOGLE_APPLICATION_CREDENTIALS, or a platform with an account",
        ) from error


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is known of the tables."""

    source_types: Mapping[str, str]
    target_types: Mapping[str, str]
    filled: list[Column]
    left_alone: list[str]
    """Known columns of the target whose types do not fit."""


class Preparation:
    """The steps before any work."""

    def __init__(self, service: Service, tables: Tables, *, execution: str, documents: bool) -> None:
        """`documents`: the items' stages leave some, so that a target that is made here has columns for them."""
        self._service = service
        self._tables = tables
        self._execution = execution
        self._documents = documents

    async def run(self, elections: Elections) -> Prepared:
        """Check both tables, add and make what is missing.

        Raises:
            SettingsError: something is missing or not allowed; the message says what, and which setting it is about.
            Away: BigQuery cannot be reached.
        """
        with as_settings(self._tables):
            return await self._run(elections)

    async def _run(self, elections: Elections) -> Prepared:
        tables, service = self._tables, self._service
        source = await service.table(tables.full(tables.source))
        source_types = check_source(tables, source)
        assert source is not None
        service.location = source.location
        await self._check_condition()
        target = await self._target(source_types[tables.id])
        (id_,) = (field for field in source.schema if field.name == tables.id)
        target_types = check_target(tables, target, id_)
        filled, left_alone = columns.filled(tables, target_types)
        check_required(tables, target, [column.name for column in filled], ALWAYS)
        await self._make(tables.staged(self._execution), SCHEMA, passing=True)
        if tables.claims:
            await self._make(tables.executions, {"execution": "STRING", "lease_until": "TIMESTAMP"})
            if missing := missing_columns(source_types):
                await self._add(missing, elections)
        return Prepared(source_types, target_types, filled, left_alone)

    async def _check_condition(self) -> None:
        tables = self._tables
        sql = f"select count(*) from `{tables.full(tables.source)}` where (\n{tables.where}\n)"  # noqa: S608  (the user's own)
        try:
            await self._service.check(Statement("check", sql, {}))
        except Refused as refused:
            if refused.what == "invalidQuery":
                raise SettingsError(f"RUSHES_BIGQUERY_WHERE: {refused.reason}") from refused
            raise

    async def _target(self, id_type: str) -> bigquery.Table:
        tables, name = self._tables, self._tables.full(self._tables.target)
        there = await self._service.table(name)
        if there is None:
            wanted = columns.new_columns(tables, id_type, documents=self._documents)
            made = _table(name, wanted)
            made.clustering_fields = [tables.id]
            await self._service.create(made)
            there = await self._service.table(name)
        assert there is not None
        return there

    async def _make(self, name: str, schema: Mapping[str, str], *, passing: bool = False) -> None:
        full = self._tables.full(name)
        there = await self._service.table(full)
        if there is not None:
            if not schema.items() <= types_of(there).items():
                raise SettingsError(
                    f"there is a table {full}, and it is not the one that Rushes keeps there",
                    remedy="rename or drop it",
                )
            if there.expires and there.expires < datetime.now(UTC) + KEPT / 2:  # an earlier run of that name has ended
                await self._service.expire(full, datetime.now(UTC) + KEPT)
            by = there.time_partitioning if passing else None
            if by and not by.expiration_ms:
                await self._service.expire_partitions(full, STAGED_AT, KEPT)
            return
        table = _table(full, [(column, type_, False) for column, type_ in schema.items()])
        if passing:
            table.time_partitioning = partitioning(STAGED_AT, KEPT)
            table.clustering_fields = ["batch"]
            table.expires = datetime.now(UTC) + KEPT
        await self._service.create(table)

    async def _add(self, missing: Any, elections: Elections) -> None:
        sql = adding_columns(self._tables, missing)
        try:
            await elections.shared(Statement("columns", sql, {}))
        except Refused as refused:
            if refused.what != "accessDenied":
                raise
            raise SettingsError(
                f"{self._tables.full(self._tables.source)} lacks the columns {', '.join(missing)}, and this account may not "
                f"add them",
                remedy=f"have somebody run: {sql}; or set RUSHES_BIGQUERY_CLAIM=none, which leaves the table as it is",
            ) from refused


def _table(name: str, wanted: list[tuple[str, str, bool]]) -> bigquery.Table:
    from google.cloud import bigquery

    fields = [
        bigquery.SchemaField(column, type_, mode="REQUIRED" if required else "NULLABLE")
        for column, type_, required in wanted
    ]
    return bigquery.Table(name, schema=fields)


@contextmanager
def as_settings(tables: Tables) -> Iterator[None]:
    """What BigQuery refuses before any work is a matter of the settings, or of rights."""
    try:
        yield
    except Refused as refused:
        raise SettingsError(f"{tables.dataset}: {refused.reason}", remedy=refused.remedy) from refused
