"""What needs an extra that is not installed says which."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Rushes

WITHOUT_EXTRAS = """
import sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"google", "duckdb", "sqlglot"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Nothing())
"""


@pytest.fixture
def bare(tmp_path: Path) -> str:
    """A `PYTHONPATH` with which a program finds the core alone, as far as the cloud is concerned."""
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_EXTRAS)
    return str(tmp_path)


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (["worker", "--source", "bigquery"], "bigquery"),
        (["worker", "--source", "pubsub"], "pubsub"),
        (["demo", "--bigquery"], "testing"),
        (["demo", "--pubsub"], "testing"),
    ],
)
def test_what_is_not_installed_says_how_to_install_it(rushes: Rushes, bare: str, words: list[str], extra: str):
    ended = rushes(*words, PYTHONPATH=bare)
    assert ended.code == 2
    assert "is not installed" in ended.err
    assert f"pip install 'rushes[{extra}]'" in ended.err


def test_the_doctor_names_extras_that_are_not_here(rushes: Rushes, bare: str):
    found = {finding["name"]: finding for finding in rushes("doctor", "--json", PYTHONPATH=bare).json["findings"]}
    assert found["extra bigquery"]["state"] == found["extra pubsub"]["state"] == "warning"
    assert found["extra video"]["state"] == "found"


def test_two_demos_at_once_are_refused(rushes: Rushes):
    ended = rushes("demo", "--bigquery", "--pubsub")
    assert ended.code == 2
    assert "one at a time" in ended.err
