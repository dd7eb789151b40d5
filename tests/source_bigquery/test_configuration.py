"""What is missing or wrong is said with exit code 2 before anything is asked of anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from rushes.testing.bigquery import BigQueryServer

from .conftest import DATASET, PROJECT, Site
from .programs import begin

RIGHT = {
    "BIGQUERY_PROJECT": PROJECT, "BIGQUERY_DATASET": DATASET, "BIGQUERY_TABLE_SOURCE": "items",
    "BIGQUERY_TABLE_TARGET": "results", "URL_PROCESSOR_SERVICE_URL": "http://127.0.0.1:9/process",
}  # fmt: skip


def refused(server: BigQueryServer, home: Path, *arguments: str, **changed: str) -> str:
    """What a worker says that ends with exit code 2."""
    environment = {**RIGHT, "BIGQUERY_EMULATOR_HOST": server.url, "RUSHES_HOME": str(home), **changed}
    code, err = begin(environment, *arguments).ended()
    assert code == 2, err
    return " ".join(err.split())


@pytest.mark.parametrize("name", RIGHT)
def test_a_variable_that_is_not_set_is_named_before_any_call(server: BigQueryServer, tmp_path: Path, name: str):
    assert name in refused(server, tmp_path, **{name: ""})
    assert server.requests == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RUSHES_BIGQUERY_ID", "id; drop table items"),
        ("BIGQUERY_TABLE_SOURCE", "it`ems"),
        ("BATCH_SIZE", "none"),
        ("RUSHES_BIGQUERY_CLAIM", "perhaps"),
        ("RUSHES_BIGQUERY_LEASE", "1"),
        ("RUSHES_BIGQUERY_PAYLOAD", "a, b-c"),
        ("RUSHES_TASK_COUNT", "2"),
        ("CLOUD_RUN_TASK_INDEX", "first"),
    ],
)
def test_a_wrong_value_is_named_before_any_call(server: BigQueryServer, tmp_path: Path, variable: str, value: str):
    said = refused(server, tmp_path, **{variable: value})
    assert variable.removeprefix("BIGQUERY_TABLE_") in said or variable in said or "RUSHES_EXECUTION" in said
    assert server.requests == []


def test_kinds_are_no_matter_of_this_source(server: BigQueryServer, tmp_path: Path):
    assert "whole items" in refused(server, tmp_path, "--kinds", "download")
    assert server.requests == []


def test_an_unknown_pipeline_is_named(server: BigQueryServer, tmp_path: Path):
    assert "summarise" in refused(server, tmp_path, "--pipeline", "summarise")
    assert server.requests == []


def test_a_table_that_is_not_there_is_named_with_its_setting(site: Site, tmp_path: Path):
    said = refused(site.server, tmp_path, BIGQUERY_TABLE_SOURCE="talks")
    assert "there is no table films.archive.talks" in said
    assert "RUSHES_BIGQUERY_SOURCE" in said


def test_a_condition_that_bigquery_does_not_understand_is_named(site: Site, tmp_path: Path):
    said = refused(site.server, tmp_path, RUSHES_BIGQUERY_WHERE="langage = 'en'")
    assert "RUSHES_BIGQUERY_WHERE" in said
    assert "langage" in said
    assert "owner" not in [field.name for field in site.client.get_table("films.archive.items").schema]


def test_where_columns_may_not_be_added_it_says_what_to_run_instead(site: Site, tmp_path: Path):
    site.server.fail(
        "(?i)alter table", times=None, reason="accessDenied", message="Permission bigquery.tables.update denied"
    )
    said = refused(site.server, tmp_path)
    assert (
        "alter table `films.archive.items` add column if not exists claim STRING, add column if not exists owner STRING"
        in said
    )
    assert "RUSHES_BIGQUERY_CLAIM=none" in said
