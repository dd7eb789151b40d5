"""What goes into the target's columns, and what a new target has."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from rushes.errors import SettingsError
from rushes.model import ItemStatus
from rushes.settings import Settings
from rushes.sources.bigquery import columns
from rushes.sources.bigquery.tables import Tables
from rushes.sources.results import ItemResult

BASIC = {"id": "STRING", "context": "STRING", "status": "STRING"}
DONE = ItemResult(
    ItemStatus.COMPLETED, text="An overview.", title="A talk", duration=12.5,
    documents={
        "transcript": {"cues": [{"start": 0, "text": "Hello"}, {"start": 1, "text": "there"}]},
        "summary": {"overview": "An overview.", "chapters": [{"title": "One", "start": 0.0, "end": 12.5}]},
    },
    engine="offline", cost=0.25, notes=("a note",),
)  # fmt: skip
FAILED = ItemResult(ItemStatus.FAILED, error="it is gone", error_class="permanent", remedy="look elsewhere")


@pytest.fixture
def tables() -> Tables:
    return Tables.of(
        Settings.load(bigquery_project="p", bigquery_dataset="d", bigquery_source="items", bigquery_target="results")
    )


def told(tables: Tables, types: dict[str, str], result: ItemResult) -> Any:
    filled, _ = columns.filled(tables, types)
    return json.loads(columns.staged(filled, types, result))


def test_a_target_like_the_original_gets_the_text(tables: Tables):
    assert told(tables, BASIC, DONE) == {"context": "An overview."}


def test_in_a_column_of_json_what_a_service_answered_stays_what_it_is(tables: Tables):
    answered = replace(DONE, value={"chapters": [1, 2]}, text='{"chapters": [1, 2]}')
    assert told(tables, {**BASIC, "context": "JSON"}, answered) == {"context": {"chapters": [1, 2]}}
    assert told(tables, BASIC, answered) == {"context": '{"chapters": [1, 2]}'}


def test_without_a_column_for_errors_the_text_tells_the_error(tables: Tables):
    assert told(tables, BASIC, FAILED) == {"context": "ERROR: it is gone"}


def test_an_error_goes_to_its_own_column_where_there_is_one(tables: Tables):
    types = {**BASIC, "error": "STRING", "error_class": "STRING", "remedy": "STRING"}
    assert told(tables, types, FAILED) == {
        "error": "it is gone",
        "error_class": "permanent",
        "remedy": "look elsewhere",
    }


def test_documents_go_to_json_as_they_are_and_to_text_in_words(tables: Tables):
    as_json = {**BASIC, "transcript": "JSON", "summary": "JSON", "chapters": "JSON"}
    found = told(tables, as_json, DONE)
    assert found["transcript"]["cues"][0]["text"] == "Hello"
    assert found["summary"]["overview"] == "An overview."
    assert found["chapters"][0]["title"] == "One"
    as_text = {**BASIC, "transcript": "STRING", "summary": "STRING", "chapters": "STRING"}
    found = told(tables, as_text, DONE)
    assert found["transcript"] == "Hello there"
    assert found["summary"] == "An overview."
    assert json.loads(found["chapters"])[0]["end"] == 12.5


def test_a_known_column_of_another_type_is_left_alone_and_named(tables: Tables):
    filled, left_alone = columns.filled(tables, {**BASIC, "title": "INT64", "cost": "NUMERIC"})
    assert [column.name for column in filled] == ["context", "cost"]
    assert left_alone == ["title"]


def test_text_that_no_table_can_hold_is_mended(tables: Tables):
    assert told(tables, BASIC, replace(DONE, text="a\x00b\ud83d")) == {"context": "a\N{REPLACEMENT CHARACTER}b?"}


@pytest.mark.parametrize("type_", ["JSON", "STRING"])
def test_what_only_looks_like_such_text_stays_as_it_is(tables: Tables, type_: str):
    value = {"how NUL is written": "\\u0000", "at\x00once": ["\x00\\u0000", "C:\\\\u0000"]}
    found = told(tables, {**BASIC, "result": type_}, replace(DONE, value=value, text="say \\u0000"))
    assert found["context"] == "say \\u0000"
    result = found["result"] if type_ == "JSON" else json.loads(found["result"])
    assert result["value"] == {
        "how NUL is written": "\\u0000",
        "at\N{REPLACEMENT CHARACTER}once": ["\N{REPLACEMENT CHARACTER}\\u0000", "C:\\\\u0000"],
    }


@pytest.mark.parametrize("value", [float("nan"), 2**70, [{"deep": -(2**64)}]])
def test_a_number_that_no_table_can_hold_is_refused_here(tables: Tables, value: Any):
    with pytest.raises(ValueError, match="JSON"):
        told(tables, {**BASIC, "result": "JSON"}, replace(DONE, value=value))


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_values_within_each_other_are_refused_where_no_table_can_hold_so_many(tables: Tables):
    types = {**BASIC, "context": "JSON"}
    assert told(tables, types, replace(DONE, value=nested(499)))
    for depth in (500, 900):
        with pytest.raises(ValueError, match="within each other"):
            told(tables, types, replace(DONE, value=nested(depth)))


def test_a_new_target_has_columns_for_what_the_pipeline_makes(tables: Tables):
    plain = [name for name, _, _ in columns.new_columns(tables, "INT64", documents=False)]
    assert plain[:3] == ["id", "context", "status"]
    assert "error" in plain
    assert "transcript" not in plain
    full = {name: type_ for name, type_, _ in columns.new_columns(tables, "INT64", documents=True)}
    assert full["id"] == "INT64"
    assert full["summary"] == "JSON"


def test_one_column_cannot_be_two(tables: Tables):
    with pytest.raises(SettingsError, match="RUSHES_BIGQUERY_RESULT"):
        columns.new_columns(replace(tables, result="status"), "STRING", documents=False)
