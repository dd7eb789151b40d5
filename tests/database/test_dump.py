"""Backup and restore: between machines, between the embedded server and the user's own, all or nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from rushes.database import Database, open_database, reach
from rushes.database.dump import backup, restore
from rushes.database.schema import Revisions, our_revisions
from rushes.errors import DatabaseError, RushesError, SchemaError, UsageError
from rushes.settings import Settings

ADD = "insert into rushes.videos (key, location, title) values ($1, '/x', $2)"
TITLE = "Zeilen\nund\tTabs, 'quotes' \\ \\. and 日本"


def own(url: str) -> Settings:
    return Settings.load(home=Path("/nonexistent"), database_url=url)


async def fill(database: Database, *keys: str) -> None:
    for key in keys:
        await database.pool.execute(ADD, key, TITLE)


async def videos(settings: Settings) -> dict[str, str]:
    async with open_database(settings) as database:
        return {row[0]: row[1] for row in await database.pool.fetch("select key, title from rushes.videos")}


async def make_backup(settings: Settings, file: Path, *keys: str) -> None:
    async with open_database(settings) as database:
        await fill(database, *keys)
        await backup(database.server, file)


async def load(settings: Settings, file: Path, *, replace: bool = False) -> None:
    async with reach(settings) as server:
        await restore(server, file, our_revisions(), replace=replace)


async def test_from_the_embedded_server_to_ones_own_and_back(settings: Settings, own_url: str, tmp_path: Path) -> None:
    await make_backup(settings, tmp_path / "one.dump", "a", "b")
    await load(own(own_url), tmp_path / "one.dump")
    assert await videos(own(own_url)) == {"a": TITLE, "b": TITLE}
    await make_backup(own(own_url), tmp_path / "two.dump", "c")
    await load(settings, tmp_path / "two.dump", replace=True)
    assert await videos(settings) == {"a": TITLE, "b": TITLE, "c": TITLE}


async def test_numbering_goes_on_after_a_restore(other_url: str, own_url: str, tmp_path: Path) -> None:
    worker = "insert into rushes.workers (host, boot, pid, process_started) values ('h', 'b', 1, 0) returning id"
    async with open_database(own(other_url)) as database:
        last = max([await database.pool.fetchval(worker) for _ in range(3)])
        await backup(database.server, tmp_path / "x.dump")
    await load(own(own_url), tmp_path / "x.dump")
    async with open_database(own(own_url)) as database:
        assert await database.pool.fetchval(worker) == last + 1


async def test_a_backup_is_private_and_never_replaces_another(other_url: str, tmp_path: Path) -> None:
    file = tmp_path / "x.dump"
    await make_backup(own(other_url), file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert not file.with_name("x.dump.part").exists()
    before = file.read_bytes()
    with pytest.raises(UsageError, match="exists already"):
        await make_backup(own(other_url), file)
    assert file.read_bytes() == before


async def test_data_is_only_replaced_if_that_is_said(other_url: str, own_url: str, tmp_path: Path) -> None:
    await make_backup(own(other_url), tmp_path / "x.dump", "a")
    async with open_database(own(own_url)) as database:
        await fill(database, "mine")
    with pytest.raises(UsageError, match=r"data in .* already \(videos\)(?s:.*)--replace"):
        await load(own(own_url), tmp_path / "x.dump")
    assert set(await videos(own(own_url))) == {"mine"}
    await load(own(own_url), tmp_path / "x.dump", replace=True)
    assert set(await videos(own(own_url))) == {"a"}


async def test_a_damaged_backup_changes_nothing(other_url: str, own_url: str, tmp_path: Path) -> None:
    async with open_database(own(other_url)) as database:
        # Enough that its part of the file is what the cut falls into.
        await database.pool.execute(
            "insert into rushes.videos (key, location) select 'k' || n, md5(n::text) from generate_series(1, 20000) n"
        )
    await make_backup(own(other_url), tmp_path / "x.dump")
    whole = (tmp_path / "x.dump").read_bytes()
    (tmp_path / "cut.dump").write_bytes(whole[: len(whole) * 3 // 4])
    async with open_database(own(own_url)) as database:
        await fill(database, "mine")
    with pytest.raises(DatabaseError, match="everything is as before"):
        await load(own(own_url), tmp_path / "cut.dump", replace=True)
    assert set(await videos(own(own_url))) == {"mine"}


async def test_what_is_no_backup_is_refused(other_url: str, tmp_path: Path) -> None:
    (tmp_path / "x.dump").write_text("not a backup")
    for file, reason in ((tmp_path / "x.dump", "no backup"), (tmp_path / "nowhere.dump", "no such file")):
        with pytest.raises(UsageError, match=reason):
            await load(own(other_url), file)


async def test_a_newer_backup_is_refused(other_url: str, own_url: str, tmp_path: Path) -> None:
    async with open_database(own(other_url)) as database:
        await database.pool.execute("insert into rushes.schema_versions (number, name) values (9999, 'future')")
        await backup(database.server, tmp_path / "x.dump")
    with pytest.raises(SchemaError, match="newer Rushes"):
        await load(own(own_url), tmp_path / "x.dump")


async def test_an_older_backup_is_brought_up_to_date(other_url: str, own_url: str, tmp_path: Path) -> None:
    await make_backup(own(other_url), tmp_path / "x.dump", "a")
    head = our_revisions().head
    (tmp_path / f"{head + 1:04}_next.sql").write_text("create table rushes.next_step ()")
    async with reach(own(own_url)) as server:
        restored = await restore(server, tmp_path / "x.dump", Revisions(tmp_path), replace=False)
    assert (restored.backup_version, restored.version) == (head, head + 1)


async def test_a_restore_does_not_wait_for_ever_for_whoever_works_there(
    other_url: str, own_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rushes.database.dump.LOCK_TIMEOUT", "-c lock_timeout=100ms")
    await make_backup(own(other_url), tmp_path / "x.dump", "a")
    async with open_database(own(own_url)) as database, database.pool.acquire() as connection, connection.transaction():
        await connection.execute(ADD, "mine", "t")
        with pytest.raises(RushesError, match=r"lock timeout(?s:.*)stop the workers"):
            await load(own(own_url), tmp_path / "x.dump", replace=True)
    assert set(await videos(own(own_url))) == {"mine"}


async def test_a_backup_is_consistent_while_work_goes_on(other_url: str, own_url: str, tmp_path: Path) -> None:
    async with open_database(own(other_url)) as database:

        async def work() -> None:
            for number in range(100):
                async with database.pool.acquire() as connection, connection.transaction():
                    await connection.execute(ADD, f"v{number}", "t")
                    await connection.execute(
                        "insert into rushes.video_aliases (alias, key) values ($1, $2)", f"a{number}", f"v{number}"
                    )

        await asyncio.gather(work(), backup(database.server, tmp_path / "x.dump"))
    await load(own(own_url), tmp_path / "x.dump")
    async with open_database(own(own_url)) as database:
        counts = await database.pool.fetchrow(
            "select (select count(*) from rushes.videos), (select count(*) from rushes.video_aliases)"
        )
        assert counts is not None
        assert counts[0] == counts[1]
