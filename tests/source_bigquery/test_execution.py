"""What an execution is called: the same after a kill, another for each of two at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from rushes.errors import SettingsError
from rushes.settings import Settings
from rushes.sources.bigquery.execution import execution_of
from rushes.sources.bigquery.tables import Tables
from rushes.tasks import Task


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(
        home=tmp_path, bigquery_project="p", bigquery_dataset="d", bigquery_source="items", bigquery_target="results"
    )


def test_it_is_what_the_platform_says(settings: Settings):
    with execution_of(Task("nightly-4", 3, 8), Tables.of(settings), settings) as name:
        assert name == "nightly-4"


def test_whoever_comes_after_has_the_same_name_and_two_at_once_have_two(settings: Settings):
    tables = Tables.of(settings)
    with execution_of(Task(None), tables, settings) as first, execution_of(Task(None), tables, settings) as second:
        assert first != second
    with execution_of(Task(None), tables, settings) as after:
        assert after == first


def test_other_tables_have_other_names(settings: Settings):
    others = Tables.of(settings.model_copy(update={"bigquery_source": "others"}))
    with (
        execution_of(Task(None), Tables.of(settings), settings) as one,
        execution_of(Task(None), others, settings) as two,
    ):
        assert one != two


def test_machines_that_are_called_alike_do_not_share_a_name(settings: Settings, tmp_path: Path):
    elsewhere = settings.model_copy(update={"home": tmp_path / "elsewhere"})
    tables = Tables.of(settings)
    with execution_of(Task(None), tables, settings) as here, execution_of(Task(None), tables, elsewhere) as there:
        assert here != there


def test_several_tasks_without_a_name_in_common_are_refused(settings: Settings):
    with (
        pytest.raises(SettingsError, match="RUSHES_EXECUTION"),
        execution_of(Task(None, 0, 2), Tables.of(settings), settings),
    ):
        pass
