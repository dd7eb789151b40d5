"""Wrong or missing configuration is found before any call, and says which variable it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from rushes.database import Database
from tests.operate.conftest import Rushes

WRONG: dict[str, tuple[dict[str, str], str]] = {
    "none": ({}, "RUSHES_PROCESSOR_URL (or URL_PROCESSOR_SERVICE_URL) is not set"),
    "no address": ({"URL_PROCESSOR_SERVICE_URL": "processor"}, "URL_PROCESSOR_SERVICE_URL: not a web address"),
    "a password": ({"RUSHES_PROCESSOR_URL": "https://u:s3cret@x.example"}, "RUSHES_PROCESSOR_URL: an address with a user"),
    "no time": ({"URL_PROCESSOR_TIMEOUT_SECONDS": "soon"}, "URL_PROCESSOR_TIMEOUT_SECONDS: "),
    "no JSON": ({"RUSHES_PROCESSOR_TEMPLATE": '{"name": '}, "RUSHES_PROCESSOR_TEMPLATE: no right JSON"),
    "no such place": ({"RUSHES_PROCESSOR_TEMPLATE": '{"name": "{url}"}'}, "RUSHES_PROCESSOR_TEMPLATE: there is no {url}"),
    "the secret itself": ({"RUSHES_PROCESSOR_HEADERS": '{"X-Key": "s3cret"}'}, "RUSHES_PROCESSOR_HEADERS: X-Key: wanted a"),
    "a header of ours": ({"RUSHES_PROCESSOR_HEADERS": '{"host": "env:X"}'}, "RUSHES_PROCESSOR_HEADERS: 'host' is no"),
    "no pattern": ({"RUSHES_PROCESSOR_FAILURES": "("}, "RUSHES_PROCESSOR_FAILURES: '(' is no pattern: unclosed group"),
    "no size": ({"RUSHES_PROCESSOR_LARGEST": "0"}, "RUSHES_PROCESSOR_LARGEST: "),
    "no identity": ({"RUSHES_PROCESSOR_IDENTITY": "aws"}, "RUSHES_PROCESSOR_IDENTITY: "),
    "an open line": (
        {"RUSHES_PROCESSOR_URL": "http://processor.example", "RUSHES_PROCESSOR_IDENTITY": "google"},
        "identity=google needs an https:// address",
    ),
    "two identities": (
        {
            "RUSHES_PROCESSOR_URL": "https://processor.example", "RUSHES_PROCESSOR_IDENTITY": "google",
            "RUSHES_PROCESSOR_HEADERS": '{"authorization": "env:X"}',
        },
        "only one of them can be sent",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
async def test_wrong_configuration_is_found_before_any_call(
    here: Rushes, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    variables, said = WRONG[name]
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    (tmp_path / "urls.txt").write_text("https://example.org/1\n")
    ended = await here("run", tmp_path / "urls.txt", "-p", "process", "--out", tmp_path / "out")
    assert ended.code == 2
    assert said in " ".join(ended.err.split())
    assert "s3cret" not in ended.err
    assert "Traceback" not in ended.err
    assert await database.pool.fetchval("select count(*) from rushes.batches") == 0
