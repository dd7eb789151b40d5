"""`rushes db`, as typed."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import asyncpg
import pytest

from .conftest import Rushes, command, environment

GROUP = ("status", "upgrade", "url", "backup", "restore")


def test_status_makes_nothing(rushes: Rushes, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    ended = rushes("db", "status", RUSHES_HOME=str(nowhere))
    assert ended.code == 0
    assert "not made yet" in ended.out
    assert not nowhere.exists()


def test_upgrade_installs_and_status_tells_what_there_is(rushes: Rushes, home: Path) -> None:
    assert rushes("db", "upgrade", "--json").json["schema_version"] >= 1
    assert "Nothing to do" in rushes("db", "upgrade").out
    found = rushes("db", "status", "--json").json
    assert found["embedded"] is True
    assert found["schema_version"] == found["schema_needed"]
    assert found["server_version"].startswith("18")
    assert found["size"] > 1_000_000
    assert found["data_folder"] == str(home / "postgresql" / "data")
    assert "up to date" in rushes("db", "status").out


def test_backup_and_restore_as_typed(rushes: Rushes, tmp_path: Path) -> None:
    file = tmp_path / "x.dump"
    rushes("db", "upgrade")
    assert rushes("db", "backup", str(file), "--json").json["bytes"] == file.stat().st_size
    again = rushes("db", "backup", str(file))
    assert again.code == 2
    assert "exists already" in again.err
    assert rushes("db", "restore", str(file)).code == 0
    assert rushes("db", "restore", str(tmp_path / "nowhere")).code == 2


async def test_the_url_works_for_others_while_it_is_held(home: Path) -> None:
    holder = subprocess.Popen(
        command("db", "url", "--hold"), env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    connection = await asyncpg.connect(holder.stdout.readline().strip())
    status = subprocess.run(command("db", "status"), env=environment(home), capture_output=True, text=True, check=True)
    assert f"(pid {holder.pid})" in status.stdout
    assert await connection.fetchval("select current_user") == "rushes"
    await connection.close()
    holder.send_signal(signal.SIGINT)
    holder.communicate()
    assert holder.returncode == 130


def test_a_password_is_printed_only_where_it_is_asked_for(rushes: Rushes) -> None:
    wrong = "postgresql://me:wrong-secret@127.0.0.1:1/d"
    ended = rushes("db", "url", DATABASE_URL=wrong)
    assert ended.out.strip() == wrong
    assert "password" in ended.err
    refused = rushes("db", "status", DATABASE_URL=wrong)
    assert refused.code == 1
    assert "cannot be reached" in refused.err
    assert "wrong-secret" not in refused.err + refused.out


def test_a_wrong_url_is_wrong_use(rushes: Rushes) -> None:
    ended = rushes("db", "status", DATABASE_URL="mysql://h/d")
    assert ended.code == 2
    assert "RUSHES_DATABASE_URL" in ended.err


@pytest.mark.parametrize("name", GROUP)
def test_each_command_explains_itself(rushes: Rushes, name: str) -> None:
    ended = rushes("db", name, "--help")
    assert ended.code == 0
    assert "Example: " in ended.out
    assert "--json" in ended.out
