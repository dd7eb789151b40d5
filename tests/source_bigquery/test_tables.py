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
    check_required,
    check_source,
    check_target,
    missing_columns,
)

PLAIN = {"id": "STRING", "url": "STRING", "status": "STRING"}
RESULTS = {"id": "STRING", "context": "STRING", "status": "STRING"}
ID = SchemaField("id", "STRING")


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


def text(name: str, longest: int | None = None) -> SchemaField:
    return SchemaField(name, "STRING", max_length=longest) if longest else SchemaField(name, "STRING")


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


@pytest.mark.parametrize("name", ["owner", "Owner", "error", "ATTEMPT", "claim"])
def test_a_column_of_the_users_own_is_not_written_over(tables: Tables, name: str):
    theirs = {**PLAIN, name: OWN_COLUMNS[name.lower()]}
    with pytest.raises(SettingsError, match=f"has {name}, and Rushes needs such names") as raised:
        check_source(tables, table(theirs))
    assert "RUSHES_BIGQUERY_CLAIM=none" in str(raised.value)
    assert check_source(replace(tables, claims=False), table(theirs))


def test_columns_of_ours_are_found_however_they_are_written(tables: Tables):
    ours = {name.upper(): type_ for name, type_ in OWN_COLUMNS.items()}
    assert missing_columns(check_source(tables, table({**PLAIN, **ours}))) == []


def test_a_name_that_is_ours_cannot_be_that_of_a_setting(tables: Tables):
    with pytest.raises(SettingsError, match="keeps for itself"):
        check_source(replace(tables, url="Error"), table({"id": "STRING", "Error": "STRING", "status": "STRING"}))


def test_our_columns_of_another_type_are_refused(tables: Tables):
    with pytest.raises(SettingsError, match="'attempt'"):
        check_source(tables, table({**PLAIN, **OWN_COLUMNS, "attempt": "STRING"}))


@pytest.mark.parametrize("name", ["reviewer", "context", "title"])
def test_a_column_of_the_target_that_must_be_filled_and_may_not_be_is_found_before_any_work(tables: Tables, name: str):
    columns = {**RESULTS, "reviewer": "STRING", "title": "STRING", "attempt": "INT64"}
    filled = ("context", "title", "attempt")
    check_required(tables, table(columns, required=("id", "status", "attempt")), filled, ("attempt",))
    with pytest.raises(SettingsError, match=f"ALTER COLUMN {name} DROP NOT NULL"):
        check_required(tables, table(columns, required=(name,)), filled, ("attempt",))


def test_a_default_helps_only_where_nothing_is_written(tables: Tables):
    fields = [SchemaField(name, "STRING", mode="REQUIRED", default_value_expression="'x'") for name in ("a", "title")]
    made = Table("p.d.results", schema=fields)
    with pytest.raises(SettingsError, match="'title'"):
        check_required(tables, made, ["title"], ())
    check_required(tables, made, [], ())


@pytest.mark.parametrize(
    ("items", "results", "fits"),
    [
        (ID, ID, True),
        (SchemaField("id", "INTEGER"), ID, True),
        (ID, SchemaField("id", "INTEGER"), False),
        (ID, SchemaField("id", "STRING", max_length=20), False),
        (SchemaField("id", "STRING", max_length=20), SchemaField("id", "STRING", max_length=20), True),
        (SchemaField("id", "INTEGER"), SchemaField("id", "STRING", max_length=20), True),
        (SchemaField("id", "INTEGER"), SchemaField("id", "STRING", max_length=19), False),
    ],
)
def test_every_id_of_the_items_must_fit_into_the_target(tables: Tables, items, results, fits):
    made = Table("p.d.results", schema=[results, SchemaField("context", "STRING"), SchemaField("status", "STRING")])
    if fits:
        assert check_target(tables, made, items)["id"] in ("STRING", "INT64")
    else:
        with pytest.raises(SettingsError, match="RUSHES_BIGQUERY_ID"):
            check_target(tables, made, items)


def test_columns_of_the_target_that_hold_only_some_values_are_not_written_to(tables: Tables):
    limited = [SchemaField("title", "STRING", max_length=20), SchemaField("cost", "NUMERIC", precision=10, scale=2)]
    given = {"context": None, "status": 17}
    usual = [ID, *(text(name, most) for name, most in given.items())]
    types = check_target(tables, Table("p.d.results", schema=[*usual, *limited]), ID)
    assert (types["title"], types["cost"]) == ("STRING(20)", "NUMERIC(10, 2)")
    for name, most, setting in (("context", 2000, "RESULT"), ("status", 16, "STATUS")):
        usual = [ID, *(text(one, most if one == name else None) for one in given)]
        with pytest.raises(SettingsError, match=f"RUSHES_BIGQUERY_{setting}"):
            check_target(tables, Table("p.d.results", schema=usual), ID)


def test_columns_of_the_items_that_are_written_to_must_hold_what_is_written(tables: Tables):
    fields = [ID, SchemaField("url", "STRING", max_length=99)]
    check_source(tables, _typed([*fields, SchemaField("status", "STRING", max_length=10)]))
    with pytest.raises(SettingsError, match="too short"):
        check_source(tables, _typed([*fields, SchemaField("status", "STRING", max_length=9)]))
    ours = [text(name, 50) if name == "error" else SchemaField(name, type_) for name, type_ in OWN_COLUMNS.items()]
    with pytest.raises(SettingsError, match=r"STRING\(50\)"):
        check_source(tables, _typed([*fields, SchemaField("status", "STRING"), *ours]))


def _typed(fields: list[SchemaField]) -> Table:
    made = Table("p.d.items", schema=fields)
    made._properties["type"] = "TABLE"
    return made


def test_staging_tables_of_different_executions_are_different(tables: Tables):
    assert tables.staged("nightly-1") == "results__staged_nightly-1"
    assert tables.staged("a.b") != tables.staged("a_b")
