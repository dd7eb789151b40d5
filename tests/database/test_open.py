"""A PostgreSQL of the user's own: prepared only where that is welcome, and every refusal in words."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from rushes.database import LOST, open_database, storable
from rushes.database.access import reach
from rushes.database.connect import dial
from rushes.database.schema import Revisions, installed_version, our_revisions, upgrade
from rushes.database.url import parse_url
from rushes.errors import DatabaseError, RushesError, SchemaError, SettingsError
from rushes.settings import Settings

from .conftest import PASSWORD, OwnServer

TABLES = """
    select format('%I.%I', schemaname, tablename) from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema') order by 1"""


def settings_for(url: str) -> Settings:
    return Settings.load(home=Path("/nonexistent"), database_url=url)


async def tables(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return [row[0] for row in await connection.fetch(TABLES)]
    finally:
        await connection.close()


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def revisions(folder: Path, *statements: str) -> Revisions:
    for number, statement in enumerate(statements, 1):
        (folder / f"{number:04}_step.sql").write_text(statement)
    return Revisions(folder)


async def test_an_empty_database_is_prepared_unasked(own_url: str) -> None:
    async with open_database(settings_for(own_url)) as database:
        assert not database.embedded
        assert await database.pool.fetchval("select max(number) from rushes.schema_versions") == our_revisions().head
    assert all(name.startswith("rushes.") for name in await tables(own_url))


async def test_a_schema_that_was_made_for_us_is_prepared_unasked(own_url: str) -> None:
    await execute(own_url, "create schema rushes")
    async with open_database(settings_for(own_url)) as database:
        assert await database.pool.fetchval("select count(*) from rushes.jobs") == 0


@pytest.mark.parametrize("theirs", ["create table orders (id int)", "create schema app; create view app.v as select 1"])
async def test_another_programs_database_is_left_alone(own_url: str, theirs: str) -> None:
    await execute(own_url, theirs)
    before = await tables(own_url)
    with pytest.raises(SchemaError, match=r"somebody else's data.*\n.*rushes db upgrade.*RUSHES_DATABASE_URL"):
        async with open_database(settings_for(own_url)):
            pytest.fail("it was opened")
    assert await tables(own_url) == before


async def test_it_may_be_installed_there_on_purpose(own_url: str) -> None:
    await execute(own_url, "create table orders (id int)")
    async with reach(settings_for(own_url)) as server:
        connection = await server.dial()
        await upgrade(connection, our_revisions(), where="here")
        await connection.close()
    async with open_database(settings_for(own_url)) as database:
        assert await database.pool.fetchval("select count(*) from rushes.jobs") == 0


async def test_an_older_schema_waits_for_its_owner(own_url: str, tmp_path: Path) -> None:
    one = revisions(tmp_path, "create table rushes.a ()")
    async with open_database(settings_for(own_url), revisions=one):
        pass
    two = revisions(tmp_path, "create table rushes.a ()", "create table rushes.b ()")
    with pytest.raises(SchemaError, match=r"version 1; this program needs 2.*\n.*rushes db upgrade"):
        async with open_database(settings_for(own_url), revisions=two):
            pytest.fail("it was opened")
    assert await tables(own_url) == ["rushes.a", "rushes.schema_versions"]


async def test_a_newer_schema_is_refused(own_url: str, tmp_path: Path) -> None:
    async with open_database(settings_for(own_url)):
        pass
    await execute(own_url, "insert into rushes.schema_versions (number, name) values (9999, 'future')")
    with pytest.raises(SchemaError, match=r"version 9999; this program knows only up to"):
        async with open_database(settings_for(own_url)):
            pytest.fail("it was opened")


async def test_the_embedded_schema_is_brought_up_to_date_unasked(settings: Settings, tmp_path: Path) -> None:
    async with open_database(settings):
        pass
    head = our_revisions().head
    (tmp_path / f"{head + 1:04}_next.sql").write_text("create table rushes.next_step ()")
    async with open_database(settings, revisions=Revisions(tmp_path)) as database:
        assert await database.pool.fetchval("select max(number) from rushes.schema_versions") == head + 1
        assert await database.pool.fetchval("select count(*) from rushes.next_step") == 0


async def test_of_two_that_upgrade_at_once_one_does_it(own_url: str, tmp_path: Path) -> None:
    steps = revisions(tmp_path, "create table rushes.a (); select pg_sleep(0.05)", "create table rushes.b ()")
    address = parse_url(own_url)
    connections = await asyncio.gather(*(dial(address) for _ in range(5)))
    applied = await asyncio.gather(*(upgrade(each, steps, where="here") for each in connections))
    assert sorted(len(each) for each in applied) == [0, 0, 0, 0, 2]
    await asyncio.gather(*(each.close() for each in connections))


async def test_an_upgrade_that_fails_changes_nothing(own_url: str, tmp_path: Path) -> None:
    steps = revisions(tmp_path, "create table rushes.a ()", "create table rushes.b (); select 1/0")
    connection = await dial(parse_url(own_url))
    with pytest.raises(DatabaseError, match=r"as before: division by zero"):
        await upgrade(connection, steps, where="here")
    assert await installed_version(connection) is None
    await connection.close()
    assert await tables(own_url) == []


async def test_json_goes_in_and_out_as_objects(own_url: str) -> None:
    value = {"title": "Größe", "list": [1, 2.5, None, True]}
    async with open_database(settings_for(own_url)) as database:
        assert await database.pool.fetchval("select $1::jsonb", value) == value
        assert await database.pool.fetchval("select $1::json", [value]) == [value]
        async with database.dedicated() as connection:
            assert await connection.fetchval("select $1::jsonb", value) == value


async def test_hostile_characters_in_json_and_text_are_replaced(own_url: str) -> None:
    async with open_database(settings_for(own_url)) as database:
        assert await database.pool.fetchval("select $1::jsonb", {"a\0": ["x\0y\ud800"]}) == {"a�": ["x�y�"]}
        assert await database.pool.fetchval("select $1::jsonb", "a literal \\u0000") == "a literal \\u0000"
        assert await database.pool.fetchval("select $1::text", storable("x\0y")) == "x�y"


@pytest.mark.parametrize("kind", ["postgres", "postgresql+asyncpg", "postgresql+psycopg"])
async def test_urls_are_taken_as_people_write_them(own_url: str, kind: str) -> None:
    written = own_url.replace("postgresql://", f"{kind}://") + "?channel_binding=prefer&connect_timeout=10"
    async with open_database(settings_for(written)) as database:
        assert await database.pool.fetchval("show application_name") == "rushes"


def test_secrets_are_masked_wherever_they_stand() -> None:
    assert parse_url("postgres://u:secret@h/d").masked == "postgresql://u:***@h/d"
    assert (
        parse_url("postgres://u@h/d?password=secret&sslpassword=a").masked
        == "postgresql://u@h/d?password=***&sslpassword=***"
    )
    for url in ("postgresql://u:secret@h/d?sslmode=require", "postgres://u@h/d?password=secret"):
        assert "secret" not in parse_url(url).public
        assert parse_url(url).password == "secret"  # noqa: S105


async def refusal(url: str) -> RushesError:
    with pytest.raises(RushesError) as refused:
        async with open_database(settings_for(url)):
            pytest.fail("it was opened")
    assert PASSWORD not in str(refused.value)
    assert "wrong-secret" not in str(refused.value)
    return refused.value


async def test_what_is_wrong_with_a_url_is_said(own_server: OwnServer) -> None:
    for url in ("mysql://u:wrong-secret@h/d", "wrong-secret"):
        error = await refusal(url)
        assert isinstance(error, SettingsError)
        assert "RUSHES_DATABASE_URL" in str(error)
        assert "postgresql://user:password@host:5432/database" in str(error)
    assert isinstance(await refusal(own_server.url("postgres", "wrong-secret")), SettingsError)
    missing = await refusal(own_server.url("nowhere"))
    assert isinstance(missing, SettingsError)
    assert 'database "nowhere" does not exist' in str(missing)
    refused = await refusal(f"postgresql://u:{'wrong-secret'}@127.0.0.1:1/d")
    assert isinstance(refused, DatabaseError)
    assert "cannot be reached" in str(refused)


async def test_a_server_that_only_reads_is_refused_unless_that_is_asked_for(own_url: str) -> None:
    """Who reached the old primary in a failover would keep a session that never writes."""
    async with open_database(settings_for(own_url)):
        pass
    name = own_url.rpartition("/")[2]
    await execute(own_url, f"alter database {name} set default_transaction_read_only = on")
    assert isinstance(await refusal(own_url), DatabaseError)
    assert "only reads now" in str(await refusal(own_url))
    async with open_database(settings_for(f"{own_url}?target_session_attrs=any")) as database:
        assert await database.pool.fetchval("select count(*) from rushes.jobs") == 0


async def test_a_pool_is_whole_again_after_its_server_was_restarted(own_server: OwnServer, own_url: str) -> None:
    async with open_database(settings_for(own_url), pool_size=4) as database:
        await asyncio.gather(*(database.pool.fetchval("select pg_sleep(0.05)") for _ in range(4)))
        await asyncio.to_thread(own_server.control, "restart", "-m", "immediate")
        for _ in range(8):
            try:
                await database.pool.fetchval("select 1")
            except LOST:
                continue
        answers = await asyncio.gather(*(database.pool.fetchval("select 1") for _ in range(8)))
        assert answers == [1] * 8
