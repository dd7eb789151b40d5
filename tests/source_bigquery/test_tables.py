"""Both tables are checked before any work: what is wrong is said with the setting that it is about."""

from __future__ import annotations

from dataclasses import replace

import pytest
from google.cloud.bigquery import SchemaField, Table

from rushes.errors import SettingsError
from rushes.settings import Settings
from rushes.sources.bigquery.tables import (
    OWN_COLUMNS,
    Tables,
    adding_columns,
    check_source,
    check_target,
    missing_columns,
)

PLAIN = {"id": "STRING", "url": "STRING", "status": "STRING"}


@pytest.fixture
def tables() -> Tables:
    return Tables.of(
        Settings.load(bigquery_project="p", bigquery_dataset="d", bigquery_source="items", bigquery_target="results")
    )


def table(columns: dict[str, str], *, kind: str = "TABLE", required: tuple[str, ...] = ()) -> Table:
    fields = [
        SchemaField(name, type_, mode="REQUIRED" if name in required else "NULLABLE") for name, type_ in columns.items()
    ]
    made = Table("p.d.items", schema=fields)
    made._properties["type"] = kind
    return made


def test_the_original_table_is_taken_and_lacks_our_columns(tables: Tables):
    types = check_source(tables, table(PLAIN))
    assert missing_columns(types) == ["claim", "owner", "attempt", "error"]
    assert adding_columns(tables, ["attempt"]) == "alter table `p.d.items` add column if not exists attempt INT64"


def test_ids_may_be_whole_numbers(tables: Tables):
    assert check_source(tables, table({**PLAIN, "id": "INTEGER"}))["id"] == "INT64"


@pytest.mark.parametrize(
    ("columns", "setting"),
    [
        ({"id": "STRING", "status": "STRING"}, "RUSHES_BIGQUERY_URL"),
        ({"id": "STRING", "url": "STRING"}, "RUSHES_BIGQUERY_STATUS"),
        ({"url": "STRING", "status": "STRING"}, "RUSHES_BIGQUERY_ID"),
        ({**PLAIN, "id": "FLOAT"}, "RUSHES_BIGQUERY_ID"),
        ({**PLAIN, "url": "INTEGER"}, "RUSHES_BIGQUERY_URL"),
    ],
)
def test_a_column_that_is_missing_or_wrong_is_named_with_its_setting(tables: Tables, columns, setting):
    with pytest.raises(SettingsError) as raised:
        check_source(tables, table(columns))
    assert setting in str(raised.value)


def test_a_missing_table_is_named(tables: Tables):
    with pytest.raises(SettingsError, match=r"no table p\.d\.items"):
        check_source(tables, None)


def test_a_view_can_only_be_read(tables: Tables):
    with pytest.raises(SettingsError, match="RUSHES_BIGQUERY_CLAIM=none"):
        check_source(tables, table(PLAIN, kind="VIEW"))
    assert check_source(replace(tables, claims=False), table({"id": "STRING", "url": "STRING"}, kind="VIEW"))


def test_an_owner_of_the_users_own_is_not_written_over(tables: Tables):
    with pytest.raises(SettingsError, match="a column `owner` of its own"):
        check_source(tables, table({**PLAIN, "owner": "STRING"}))
    assert check_source(tables, table({**PLAIN, **OWN_COLUMNS}))


def test_our_columns_of_another_type_are_refused(tables: Tables):
    with pytest.raises(SettingsError, match="'attempt'"):
        check_source(tables, table({**PLAIN, "attempt": "STRING"}))


def test_a_column_of_the_target_that_must_be_filled_and_may_not_be_is_found_before_any_work(tables: Tables):
    columns = {"id": "STRING", "context": "STRING", "status": "STRING", "reviewer": "STRING"}
    check_target(tables, table(columns, required=("id", "status")), ())
    with pytest.raises(SettingsError, match="DROP NOT NULL"):
        check_target(tables, table(columns, required=("reviewer",)), ())


def test_staging_tables_of_different_executions_are_different(tables: Tables):
    assert tables.staged("nightly-1") == "results__staged_nightly-1"
    assert tables.staged("a.b") != tables.staged("a_b")
